//! `cavatica completions`: made from the same definitions as the help. What stands in a value only the program itself knows
//! (`complete.rs`), so the scripts ask it first.

use clap::ValueEnum;
use clap_complete::Shell;
use serde_json::json;

use crate::args::Completions;
use crate::failure::{Exit, Failure};
use crate::help;
use crate::ui::Ui;

/// Asks the program for values, and has the generated function complete everything else.
const BASH: &str = r#"
_cavatica_values() {
    local value
    COMPREPLY=()
    while IFS= read -r value; do
        COMPREPLY+=("$(printf '%q' "$value")")
    done < <("$1" complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
        _cavatica "$@"
    elif [[ ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace
    fi
}
complete -F _cavatica_values -o bashdefault -o default cavatica
"#;

/// The same where the generated script is the body of a function of its own.
const ZSH: &str = r#"
_cavatica() {
    local -a values
    values=("${(@f)$("$words[1]" complete $((CURRENT - 1)) "${words[@]}" 2>/dev/null)}")
    if [[ -n "$values" ]]; then
        compadd -- "${values[@]}"
    else
        _cavatica_words "$@"
    fi
}
"#;

/// Adds values to what the generated lines offer.
const FISH: &str = r#"
complete -c cavatica -a '(cavatica complete (count (commandline -opc)) (commandline -opc) (commandline -ct) 2>/dev/null)'
"#;

pub(crate) fn run(args: &Completions, ui: &Ui) -> Result<Exit, Failure> {
    let script = script(args.shell);
    if ui.is_json() {
        let shell = args.shell.to_possible_value();
        let shell = shell.as_ref().map(clap::builder::PossibleValue::get_name);
        ui.json(&json!({"shell": shell, "script": script}))?;
    } else {
        ui.text(&script)?;
    }
    Ok(Exit::Done)
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut help::command(), "cavatica", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        Shell::Bash => script + BASH,
        Shell::Zsh => zsh(&script),
        Shell::Fish => script + FISH,
        _ => script,
    }
}

/// A shell that loads the script calls `_cavatica`, so that name has to ask for values first.
fn zsh(script: &str) -> String {
    let named = script.replace("\n_cavatica() {", "\n_cavatica_words() {");
    match named.find("\nif [ \"$funcstack[1]\"") {
        Some(end) => {
            format!("{}{ZSH}{}", &named[..end], &named[end..])
        }
        None => script.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_script_asks_the_program_for_values() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell);
            assert!(script.contains(" complete "), "{shell}");
        }
        let zsh = script(Shell::Zsh);
        let defined = |name: &str| zsh.matches(&format!("\n{name}() {{")).count();
        assert_eq!((defined("_cavatica"), defined("_cavatica_words")), (1, 1));
        assert!(
            zsh.trim_end().ends_with("fi"),
            "the script calls itself last"
        );
    }
}
