//! The environments, by name and by address.

use cavatica_model::ProjectId;
use cavatica_model::account::Platform;

#[test]
fn every_platform_is_found_by_name_and_by_all_its_addresses() {
    for platform in Platform::ALL.iter().copied() {
        assert_eq!(platform.name().parse(), Ok(platform));
        assert_eq!(platform.name().to_uppercase().parse(), Ok(platform));
        assert_eq!(platform.api().parse(), Ok(platform));
        assert_eq!(Platform::of_page(platform.api()), None, "{platform}");
        for host in platform.web_hosts() {
            let page = format!("https://{host}/u/ada/trial/files/");
            assert_eq!(Platform::of_address(&page), Some(platform));
            assert_eq!(Platform::of_page(host), Some(platform));
            let project = ProjectId::of_page(&page).map(|id| id.to_string());
            assert_eq!(project.as_deref(), Some("ada/trial"));
        }
    }
}

#[test]
fn a_host_is_compared_whole() {
    for stranger in [
        "https://cgc.sbgenomics.com.example.org/v2",
        "https://example.org/cgc.sbgenomics.com",
        "https://evil-cgc.sbgenomics.com",
        "https://cgc.sbgenomics.com:x@example.org/v2",
        "",
    ] {
        assert_eq!(Platform::of_address(stranger), None, "{stranger}");
    }
    assert_eq!(
        Platform::of_address("HTTPS://CGC.SBGENOMICS.COM:443/u/a/b"),
        Some(Platform::Cgc)
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let error = "terra".parse::<Platform>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no such platform; there are cavatica, sbg-us, sbg-eu, sbg-china, cgc, bdc"
    );
}
