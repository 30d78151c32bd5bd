//! SQLite's files, kept in memory by a [`Disk`].
//!
//! SQLite reaches files through a table of C functions: <https://www.sqlite.org/vfs.html>. This one becomes the default of
//! the process, so that the engine's journal uses it without knowing. Each thread has a disk of its own.
#![expect(
    unsafe_code,
    reason = "SQLite is written in C and calls back with raw pointers"
)]

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Once;

use rusqlite::ffi;

use crate::disk::{Disk, DiskError, HandleNumber, Level};

thread_local! {
    static DISK: RefCell<Option<Disk>> = const { RefCell::new(None) };
}

/// What SQLite allocates for an open file.
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    handle: HandleNumber,
}

/// Puts a disk into this thread in place of the one that was there.
pub(crate) fn insert(disk: Disk) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    DISK.set(Some(disk));
}

/// Takes this thread's disk away.
pub(crate) fn remove() {
    DISK.set(None);
}

/// Does something to this thread's disk.
pub(crate) fn disk<T>(work: impl FnOnce(&mut Disk) -> T) -> T {
    DISK.with_borrow_mut(|disk| work(disk.as_mut().expect("a world is being played")))
}

fn register() {
    let vfs = Box::new(ffi::sqlite3_vfs {
        iVersion: 1,
        szOsFile: c_int::try_from(size_of::<OpenFile>()).expect("it is small"),
        mxPathname: 1024,
        pNext: std::ptr::null_mut(),
        zName: c"simulation".as_ptr(),
        pAppData: std::ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_path),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: None,
        xCurrentTimeInt64: None,
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    });
    // Counting its memory, which nobody asks for, takes a lock that all worlds would share.
    // SAFETY: SQLite isn't used yet, and this option takes a number.
    let told = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0) };
    assert_eq!(told, ffi::SQLITE_OK, "SQLite isn't in use yet");
    // SAFETY: the table is valid and never freed.
    let told = unsafe { ffi::sqlite3_vfs_register(Box::leak(vfs), 1) };
    assert_eq!(told, ffi::SQLITE_OK, "SQLite takes the disk");
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// What went wrong, in SQLite's numbers.
fn code(told: Result<(), DiskError>, broken: c_int) -> c_int {
    match told {
        Ok(()) => ffi::SQLITE_OK,
        Err(DiskError::Broken) => broken,
        Err(DiskError::Full) => ffi::SQLITE_FULL,
        Err(DiskError::Busy) => ffi::SQLITE_BUSY,
        Err(DiskError::NoFile) => ffi::SQLITE_CANTOPEN,
    }
}

/// Does something to the disk, if there is one: what is torn down late has none any more.
fn try_disk<T>(work: impl FnOnce(&mut Disk) -> Result<T, DiskError>) -> Result<T, DiskError> {
    DISK.with_borrow_mut(|disk| work(disk.as_mut().ok_or(DiskError::Broken)?))
}

/// # Safety
///
/// `text` is null or a C string.
unsafe fn text<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as promised.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}

/// # Safety
///
/// `file` was opened by [`open`].
unsafe fn handle(file: *mut ffi::sqlite3_file) -> HandleNumber {
    // SAFETY: as promised; SQLite allocated as much as an `OpenFile` takes.
    unsafe { (*file.cast::<OpenFile>()).handle }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let is_main = flags & ffi::SQLITE_OPEN_MAIN_DB != 0;
    let create = flags & ffi::SQLITE_OPEN_CREATE != 0;
    // SAFETY: SQLite passes a C string or null.
    let path = unsafe { text(name) };
    let opened = try_disk(|disk| disk.open(path, is_main, create));
    // SAFETY: SQLite passes room for an `OpenFile`, and a place for the flags or null. Without methods it isn't closed.
    unsafe {
        let opened_file = file.cast::<OpenFile>();
        (*opened_file).base.pMethods = std::ptr::null();
        match opened {
            Ok(handle) => {
                (*opened_file).base.pMethods = &METHODS;
                (*opened_file).handle = handle;
                if !out_flags.is_null() {
                    *out_flags = flags;
                }
                ffi::SQLITE_OK
            }
            Err(error) => code(Err(error), ffi::SQLITE_CANTOPEN),
        }
    }
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite passes a C string.
    let path = unsafe { text(name) }.unwrap_or_default();
    match try_disk(|disk| disk.delete(path, sync != 0)) {
        Err(DiskError::NoFile) => ffi::SQLITE_IOERR_DELETE_NOENT,
        told => code(told, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _: c_int,
    told: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes a C string and a place for the answer.
    unsafe {
        let path = text(name).unwrap_or_default();
        *told = c_int::from(try_disk(|disk| Ok(disk.exists(path))).unwrap_or(false));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_path(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a C string.
    let path = unsafe { text(name) }.unwrap_or_default();
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let whole = whole.to_string_lossy();
    let room = usize::try_from(room).unwrap_or(0);
    if whole.len() >= room {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: there is room for the text and its end.
    unsafe {
        std::ptr::copy_nonoverlapping(whole.as_ptr().cast(), out, whole.len());
        *out.add(whole.len()) = 0;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn randomness(
    _: *mut ffi::sqlite3_vfs,
    length: c_int,
    out: *mut c_char,
) -> c_int {
    let size = usize::try_from(length).unwrap_or(0);
    // SAFETY: SQLite passes room for so many bytes.
    let bytes = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), size) };
    bytes.fill(0);
    try_disk(|disk| {
        disk.fill_randomly(bytes);
        Ok(())
    })
    .ok();
    length
}

/// Nobody else can do anything meanwhile.
unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

/// The journal has its moments from the engine.
unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, day: *mut f64) -> c_int {
    // SAFETY: SQLite passes a place for the answer.
    unsafe { *day = 2_460_000.0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: it was opened.
    let handle = unsafe { handle(file) };
    try_disk(|disk| {
        disk.close(handle);
        Ok(())
    })
    .ok();
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let size = usize::try_from(length).unwrap_or(0);
    // SAFETY: it was opened, and there is room for so many bytes.
    let (handle, bytes) = unsafe {
        (
            handle(file),
            std::slice::from_raw_parts_mut(into.cast::<u8>(), size),
        )
    };
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    match try_disk(|disk| disk.read(handle, offset, bytes)) {
        Ok(true) => ffi::SQLITE_OK,
        Ok(false) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(error) => code(Err(error), ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let size = usize::try_from(length).unwrap_or(0);
    // SAFETY: it was opened, and there are so many bytes.
    let (handle, bytes) = unsafe {
        (
            handle(file),
            std::slice::from_raw_parts(from.cast::<u8>(), size),
        )
    };
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    code(
        try_disk(|disk| disk.write(handle, offset, bytes)),
        ffi::SQLITE_IOERR_WRITE,
    )
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    // SAFETY: it was opened.
    let handle = unsafe { handle(file) };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    code(
        try_disk(|disk| disk.truncate(handle, length)),
        ffi::SQLITE_IOERR_TRUNCATE,
    )
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: it was opened.
    let handle = unsafe { handle(file) };
    code(try_disk(|disk| disk.sync(handle)), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    size: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: it was opened, and there is a place for the answer.
    let (handle, size) = unsafe { (handle(file), &mut *size) };
    let told = try_disk(|disk| disk.size(handle)).map(|bytes| {
        *size = ffi::sqlite3_int64::try_from(bytes).unwrap_or(ffi::sqlite3_int64::MAX);
    });
    code(told, ffi::SQLITE_IOERR_FSTAT)
}

fn level(number: c_int) -> Level {
    match number {
        ffi::SQLITE_LOCK_NONE => Level::None,
        ffi::SQLITE_LOCK_SHARED => Level::Shared,
        ffi::SQLITE_LOCK_RESERVED => Level::Reserved,
        ffi::SQLITE_LOCK_PENDING => Level::Pending,
        _ => Level::Exclusive,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, to: c_int) -> c_int {
    // SAFETY: it was opened.
    let handle = unsafe { handle(file) };
    code(
        try_disk(|disk| disk.lock(handle, level(to))),
        ffi::SQLITE_IOERR_LOCK,
    )
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, to: c_int) -> c_int {
    // SAFETY: it was opened.
    let handle = unsafe { handle(file) };
    code(
        try_disk(|disk| disk.unlock(handle, level(to))),
        ffi::SQLITE_IOERR_UNLOCK,
    )
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, told: *mut c_int) -> c_int {
    // SAFETY: it was opened, and there is a place for the answer.
    let (handle, told) = unsafe { (handle(file), &mut *told) };
    let reserved = try_disk(|disk| disk.is_reserved(handle));
    code(
        reserved.map(|reserved| *told = c_int::from(reserved)),
        ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
    )
}

unsafe extern "C" fn control(
    file: *mut ffi::sqlite3_file,
    operation: c_int,
    argument: *mut c_void,
) -> c_int {
    if operation != ffi::SQLITE_FCNTL_HAS_MOVED {
        return ffi::SQLITE_NOTFOUND;
    }
    // SAFETY: it was opened, and this operation has a number for its answer.
    let (handle, told) = unsafe { (handle(file), &mut *argument.cast::<c_int>()) };
    *told = c_int::from(try_disk(|disk| Ok(disk.has_moved(handle))).unwrap_or(true));
    ffi::SQLITE_OK
}

/// As on Unix.
unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// As on Unix.
unsafe extern "C" fn characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}
