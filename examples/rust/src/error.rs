// SPDX-License-Identifier: Apache-2.0
//! What a failed call says.

use crate::raw;
use std::ffi::CStr;
use std::fmt;
use std::mem::MaybeUninit;

/// The status of a call that failed, its name and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub status: i32,
    pub name: String,
    pub message: String,
}

impl Error {
    /// What this crate itself refuses.
    pub(crate) fn here(name: &str, message: String) -> Self {
        Error { status: -1, name: name.to_string(), message }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for Error {}

/// Makes one call of the library, which gets a place for its own status and message.
pub(crate) fn checked(function: impl FnOnce(*mut raw::Call) -> i32) -> Result<(), Error> {
    let mut call = MaybeUninit::<raw::Call>::uninit();
    // SAFETY: the function writes every field.
    unsafe { raw::equiconv_call_init(call.as_mut_ptr()) };
    let status = function(call.as_mut_ptr());
    if status == 0 {
        return Ok(());
    }
    // SAFETY: initialized above; the message ends with a 0, and names of statuses are constants of the library.
    let (name, message) = unsafe {
        let message = CStr::from_ptr((*call.as_ptr()).message.as_ptr()).to_string_lossy().into_owned();
        (text(raw::equiconv_status_name(status)).unwrap_or_default(), message)
    };
    Err(Error { status, name, message })
}

/// A copy of a text of the library; None for NULL.
///
/// # Safety
/// `text` is NULL or ends with a 0.
pub(crate) unsafe fn text(text: *const std::ffi::c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as the caller promises.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}
