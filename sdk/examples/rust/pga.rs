//! pganalytics/plugin.h, ABI 1.0, for Rust: the same names, the same layout. That header says what each call promises.
//!
//! Here: types, constants, the note, and a trait whose calls cannot unwind into the host. Not here: what to collect.
#![allow(non_camel_case_types, dead_code)]

use std::ffi::{c_char, c_void};
use std::fmt::Write;
use std::mem::{offset_of, size_of};
use std::panic::{catch_unwind, AssertUnwindSafe};

pub type pga_status = i32;
pub const PGA_OK: pga_status = 0;
pub const PGA_E_FAIL: pga_status = -1;
pub const PGA_E_CONFIG: pga_status = -2;
pub const PGA_E_TRANSIENT: pga_status = -3;
pub const PGA_E_DEADLINE: pga_status = -4;
pub const PGA_E_DENIED: pga_status = -5;
pub const PGA_E_UNSUPPORTED: pga_status = -6;
pub const PGA_E_FATAL: pga_status = -10;
pub const PGA_NEED_PG: u32 = 1 << 0;
pub const PGA_NEED_NET: u32 = 1 << 1;
pub const PGA_NEED_READ_FS: u32 = 1 << 2;
pub const PGA_NEED_PROC: u32 = 1 << 3;
pub const PGA_NEED_EXEC: u32 = 1 << 4;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct pga_str {
    pub data: *const c_char,
    pub len: usize,
}

#[repr(C)]
pub struct pga_error {
    pub struct_size: u32,
    pub retry_after_ms: u32,
    pub code: [u8; 32],
    pub message: [u8; 480],
}

#[repr(C)]
pub struct pga_host {
    pub struct_size: u32,
    pub abi_minor: u32,
    pub ctx: *mut c_void,
    pub product: *const c_char,
    pub version: *const c_char,
    pub log: extern "C" fn(*const pga_host, u32, pga_str),
    pub log_level: extern "C" fn(*const pga_host) -> u32,
    pub state_get: extern "C" fn(*const pga_host, *const c_char, *mut c_char, *mut usize) -> pga_status,
    pub state_set: extern "C" fn(*const pga_host, *const c_char, pga_str) -> pga_status,
    pub secret_get: extern "C" fn(*const pga_host, *const c_char, *mut c_char, *mut usize) -> pga_status,
    pub info_get: extern "C" fn(*const pga_host, *const c_char, *mut c_char, *mut usize) -> pga_status,
    pub get_extension: extern "C" fn(*const pga_host, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct pga_run {
    pub struct_size: u32,
    pub reason: u32,
    pub ctx: *mut c_void,
    pub sequence: u64,
    pub scheduled_unix_ns: i64,
    pub previous_unix_ns: i64,
    pub deadline_mono_ns: i64,
    pub cancel_fd: i32,
    pub max_document_bytes: u32,
    pub cancelled: extern "C" fn(*const pga_run) -> u32,
    pub emit: extern "C" fn(*const pga_run, pga_str) -> pga_status,
}

#[repr(C)]
pub struct pga_descriptor {
    pub struct_size: u32,
    pub min_host_minor: u32,
    pub id: *const c_char,
    pub aliases: *const c_char,
    pub version: *const c_char,
    pub vendor: *const c_char,
    pub description: *const c_char,
    pub license: *const c_char,
    pub url: *const c_char,
    pub config_schema: *const c_char,
    pub output_schema: *const c_char,
    pub needs: u32,
    pub flags: u32,
    pub default_interval_ms: u32,
    pub default_timeout_ms: u32,
}

type Create = extern "C" fn(*const pga_host, *const c_char, *mut *mut c_void, *mut pga_error) -> pga_status;
type Configure = extern "C" fn(*mut c_void, pga_str, u32, *mut pga_error) -> pga_status;
type Collect = extern "C" fn(*mut c_void, *const pga_run, *mut pga_error) -> pga_status;

#[repr(C)]
pub struct pga_plugin {
    pub struct_size: u32,
    pub abi_minor: u32,
    pub descriptor: *const pga_descriptor,
    pub create: Create,
    pub configure: Configure,
    pub collect: Collect,
    pub cancel: Option<extern "C" fn(*mut c_void)>,
    pub destroy: extern "C" fn(*mut c_void),
    pub get_extension: Option<extern "C" fn(*mut c_void, *const c_char) -> *const c_void>,
}

// Pointers to constants: nothing in them changes.
unsafe impl Sync for pga_descriptor {}
unsafe impl Sync for pga_plugin {}

#[repr(C, align(4))]
pub struct pga_note {
    pub namesz: u32,
    pub descsz: u32,
    pub r#type: u32,
    pub name: [u8; 4],
    pub abi_major: u32,
    pub abi_minor: u32,
    pub id: [u8; 36],
}

/// Put it in a static with `#[used] #[link_section = ".note.pganalytics"]`.
pub const fn note(id: &str) -> pga_note {
    let mut padded = [0u8; 36];
    let mut i = 0;
    while i < id.len() {
        padded[i] = id.as_bytes()[i];
        i += 1;
    }
    pga_note { namesz: 4, descsz: 44, r#type: 1, name: *b"pga\0", abi_major: 1, abi_minor: 0, id: padded }
}

// The layout of ABI 1.0; a test of pgAnalytics compiles these lines in C too, against its header.
macro_rules! size { ($type:ty, $bytes:literal) => { const _: () = assert!(size_of::<$type>() == $bytes); }; }
macro_rules! at { ($type:ty, $member:ident, $offset:literal) => { const _: () = assert!(offset_of!($type, $member) == $offset); }; }
size!(pga_str, 16);
at!(pga_str, len, 8);
size!(pga_error, 520);
at!(pga_error, retry_after_ms, 4);
at!(pga_error, code, 8);
at!(pga_error, message, 40);
size!(pga_host, 88);
at!(pga_host, abi_minor, 4);
at!(pga_host, ctx, 8);
at!(pga_host, product, 16);
at!(pga_host, version, 24);
at!(pga_host, log, 32);
at!(pga_host, log_level, 40);
at!(pga_host, state_get, 48);
at!(pga_host, state_set, 56);
at!(pga_host, secret_get, 64);
at!(pga_host, info_get, 72);
at!(pga_host, get_extension, 80);
size!(pga_run, 72);
at!(pga_run, reason, 4);
at!(pga_run, ctx, 8);
at!(pga_run, sequence, 16);
at!(pga_run, scheduled_unix_ns, 24);
at!(pga_run, previous_unix_ns, 32);
at!(pga_run, deadline_mono_ns, 40);
at!(pga_run, cancel_fd, 48);
at!(pga_run, max_document_bytes, 52);
at!(pga_run, cancelled, 56);
at!(pga_run, emit, 64);
size!(pga_descriptor, 96);
at!(pga_descriptor, min_host_minor, 4);
at!(pga_descriptor, id, 8);
at!(pga_descriptor, aliases, 16);
at!(pga_descriptor, version, 24);
at!(pga_descriptor, vendor, 32);
at!(pga_descriptor, description, 40);
at!(pga_descriptor, license, 48);
at!(pga_descriptor, url, 56);
at!(pga_descriptor, config_schema, 64);
at!(pga_descriptor, output_schema, 72);
at!(pga_descriptor, needs, 80);
at!(pga_descriptor, flags, 84);
at!(pga_descriptor, default_interval_ms, 88);
at!(pga_descriptor, default_timeout_ms, 92);
size!(pga_plugin, 64);
at!(pga_plugin, abi_minor, 4);
at!(pga_plugin, descriptor, 8);
at!(pga_plugin, create, 16);
at!(pga_plugin, configure, 24);
at!(pga_plugin, collect, 32);
at!(pga_plugin, cancel, 40);
at!(pga_plugin, destroy, 48);
at!(pga_plugin, get_extension, 56);
size!(pga_note, 60);
at!(pga_note, descsz, 4);
at!(pga_note, r#type, 8);
at!(pga_note, name, 12);
at!(pga_note, abi_major, 16);
at!(pga_note, abi_minor, 20);
at!(pga_note, id, 24);

/// Why a call failed: a status that tells the host what to do next, a token for machines, a sentence for people.
pub struct Failure {
    pub status: pga_status,
    pub code: &'static str,
    pub message: String,
}

pub trait Collector: Sized {
    fn create() -> Self;
    fn configure(&mut self, json: &str, dry_run: bool) -> Result<(), Failure>;
    fn collect(&mut self, run: &Run) -> Result<(), Failure>;
}

/// One run, during the collect() it was passed to.
pub struct Run<'a>(&'a pga_run);

impl Run<'_> {
    pub fn emit(&self, json_object: &str) -> Result<(), Failure> {
        match (self.0.emit)(self.0, pga_str { data: json_object.as_ptr().cast(), len: json_object.len() }) {
            PGA_OK => Ok(()),
            status => Err(Failure { status, code: "emit", message: "the host refused the document".into() }),
        }
    }

    /// "2026-02-03T04:05:06.789Z", for "timestamp".
    pub fn timestamp(&self) -> String {
        let ms = self.0.scheduled_unix_ns.div_euclid(1_000_000);
        let (days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
        // Civil date from days since 1970, in years that begin in March: then the leap day is the last.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
        let mut text = String::new();
        let _ = write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", of_day % 1_000);
        text
    }
}

fn copy_text(to: &mut [u8], text: &str) {
    let mut length = text.len().min(to.len() - 1);
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    to[..length].copy_from_slice(&text.as_bytes()[..length]);
    to[length] = 0;
}

// The one place where Rust meets the ABI: no panic passes, and after one the instance is not trusted any more.
fn guarded(error: *mut pga_error, body: impl FnOnce() -> Result<(), Failure>) -> pga_status {
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => return PGA_OK,
        Ok(Err(failure)) => failure,
        Err(_) => Failure { status: PGA_E_FATAL, code: "panic", message: "the collector panicked".into() },
    };
    if let Some(error) = unsafe { error.as_mut() } {
        copy_text(&mut error.code, failure.code);
        copy_text(&mut error.message, &failure.message);
    }
    failure.status
}

pub extern "C" fn create<T: Collector>(_: *const pga_host, _: *const c_char, this: *mut *mut c_void, error: *mut pga_error) -> pga_status {
    guarded(error, || {
        unsafe { *this = Box::into_raw(Box::new(T::create())).cast() };
        Ok(())
    })
}

pub extern "C" fn configure<T: Collector>(this: *mut c_void, json: pga_str, dry_run: u32, error: *mut pga_error) -> pga_status {
    guarded(error, || {
        let bytes = unsafe { std::slice::from_raw_parts(json.data.cast::<u8>(), json.len) };
        unsafe { &mut *this.cast::<T>() }.configure(&String::from_utf8_lossy(bytes), dry_run != 0)
    })
}

pub extern "C" fn collect<T: Collector>(this: *mut c_void, run: *const pga_run, error: *mut pga_error) -> pga_status {
    guarded(error, || unsafe { &mut *this.cast::<T>() }.collect(&Run(unsafe { &*run })))
}

pub extern "C" fn destroy<T: Collector>(this: *mut c_void) {
    guarded(std::ptr::null_mut(), || {
        drop(unsafe { Box::from_raw(this.cast::<T>()) });
        Ok(())
    });
}
