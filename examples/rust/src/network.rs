// SPDX-License-Identifier: Apache-2.0
//! A trained network that is one file.

use crate::error::{checked, text, Error};
use crate::raw;
use std::ffi::{c_void, CString};
use std::path::Path;
use std::ptr;

/// How the layers of a network are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By the algorithms expected to be fastest: equivariant up to rounding.
    #[default]
    Fast = 0,
    /// Equivariant to the last bit, on any number of threads and in any batch.
    Exact = 1,
}

/// The numbers of a network: `f32` or `f64`, as its file says.
pub trait Scalar: Copy + Default + sealed::Sealed {
    #[doc(hidden)]
    const DTYPE: i32;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Scalar for f32 {
    const DTYPE: i32 = 0;
}

impl Scalar for f64 {
    const DTYPE: i32 = 1;
}

/// Numbers with a shape, the last axis fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<S> {
    pub shape: Vec<usize>,
    pub numbers: Vec<S>,
}

/// A trained network. It may be shared by threads, which run it at the same time.
#[derive(Debug)]
pub struct Network(*mut raw::Handle);

// SAFETY: "safe to run from several threads at once", equiconv/network.h; it may be closed on any thread.
unsafe impl Send for Network {}
// SAFETY: as above. No function takes it mutably.
unsafe impl Sync for Network {}

impl Drop for Network {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is not used again.
        unsafe { raw::equiconv_network_close(self.0) }
    }
}

impl Network {
    /// Opens a file. Nobody may change it in place while the network lives; replacing it is fine.
    pub fn open(path: impl AsRef<Path>, mode: Mode) -> Result<Self, Error> {
        let path = path.as_ref();
        let name = CString::new(path.as_os_str().as_encoded_bytes())
            .map_err(|_| Error::here("path", format!("path is {path:?}, expected one without the character 0")))?;
        Self::create(mode, |options, network, call| {
            // SAFETY: pointers to values that outlive the call.
            unsafe { raw::equiconv_network_open_with_call(name.as_ptr(), options, network, call) }
        })
    }

    /// Opens a file that is in memory; its bytes are copied.
    pub fn from_bytes(bytes: &[u8], mode: Mode) -> Result<Self, Error> {
        Self::create(mode, |options, network, call| {
            // SAFETY: pointers to values that outlive the call, and the length of the slice.
            unsafe {
                raw::equiconv_network_open_memory_with_call(bytes.as_ptr().cast(), bytes.len(), options, network, call)
            }
        })
    }

    fn create(
        mode: Mode, open: impl FnOnce(*const raw::Options, *mut *mut raw::Handle, *mut raw::Call) -> i32,
    ) -> Result<Self, Error> {
        let mut options = raw::Options { struct_size: 0, mode: 0 };
        // SAFETY: a place for the struct.
        unsafe { raw::equiconv_network_options_init(&mut options) };
        options.mode = mode as i32;
        let mut network = ptr::null_mut();
        checked(|call| open(&options, &mut network, call))?;
        Ok(Network(network))
    }

    /// The names of its outputs.
    pub fn output_names(&self) -> Vec<String> {
        // SAFETY: the handle lives, and the texts are copied.
        (0..self.output_count()).filter_map(|i| unsafe { text(raw::equiconv_network_output_name(self.0, i)) }).collect()
    }

    /// The names of the channels of an output; empty if they have none.
    pub fn classes(&self, output: usize) -> Vec<String> {
        let Ok(output) = i32::try_from(output) else { return Vec::new() };
        // SAFETY: the handle lives, and the texts are copied.
        let count = unsafe { raw::equiconv_network_class_count(self.0, output) };
        (0..count).filter_map(|c| unsafe { text(raw::equiconv_network_class_name(self.0, output, c)) }).collect()
    }

    /// Its document, as JSON.
    pub fn describe(&self) -> Result<String, Error> {
        let mut length = 0;
        // SAFETY: without room only the length is written.
        checked(|call| unsafe {
            raw::equiconv_network_describe_with_call(self.0, 0, ptr::null_mut(), &mut length, call)
        })?;
        let mut bytes = vec![0u8; length + 1];
        // SAFETY: there is room for the text and its closing 0.
        checked(|call| unsafe {
            raw::equiconv_network_describe_with_call(self.0, length + 1, bytes.as_mut_ptr().cast(), &mut length, call)
        })?;
        bytes.truncate(length);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The shape of an output for an input of this shape.
    pub fn output_shape(&self, output: usize, input: &[usize]) -> Result<Vec<usize>, Error> {
        let input = shape_of(input)?;
        let index = i32::try_from(output).unwrap_or(i32::MAX);
        let mut result = raw::Shape { rank: 0, sizes: [1; raw::MAX_RANK] };
        // SAFETY: pointers to values that outlive the call.
        checked(|call| unsafe {
            raw::equiconv_network_get_output_shape_with_call(self.0, index, &input, &mut result, call)
        })?;
        Ok(result.sizes[..result.rank as usize].iter().map(|&size| size as usize).collect())
    }

    /// Makes what calls with inputs of this shape need, so that the first is as fast as the next.
    pub fn reserve(&self, input: &[usize]) -> Result<(), Error> {
        let input = shape_of(input)?;
        // SAFETY: pointers to values that outlive the call.
        checked(|call| unsafe { raw::equiconv_network_reserve_with_call(self.0, &input, call) })
    }

    /// All outputs for an input of a shape.
    pub fn run<S: Scalar>(&self, shape: &[usize], input: &[S]) -> Result<Vec<Array<S>>, Error> {
        let expected = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        if expected != Some(input.len()) {
            let message = format!("input has {} numbers, expected those of the shape {shape:?}", input.len());
            return Err(Error::here("input", message));
        }
        let raw_shape = shape_of(shape)?;
        let count = self.output_count();
        let mut outputs = Vec::new();
        for index in 0..count as usize {
            let shape = self.output_shape(index, shape)?;
            let numbers = vec![S::default(); shape.iter().product()];
            outputs.push(Array { shape, numbers });
        }
        let places: Vec<*mut c_void> = outputs.iter_mut().map(|output| output.numbers.as_mut_ptr().cast()).collect();
        // SAFETY: input and outputs have the shapes that the library says; the vectors are not touched meanwhile. The
        // library compares the type with the file's.
        checked(|call| unsafe {
            raw::equiconv_network_run_with_call(
                self.0, S::DTYPE, &raw_shape, input.as_ptr().cast(), places.as_ptr(), count, call,
            )
        })?;
        Ok(outputs)
    }

    /// Runs the test that the file has; an error if it does not hold.
    pub fn check(&self) -> Result<(), Error> {
        // SAFETY: the handle lives.
        checked(|call| unsafe { raw::equiconv_network_check_with_call(self.0, call) })
    }

    fn output_count(&self) -> i32 {
        // SAFETY: the handle lives.
        unsafe { raw::equiconv_network_output_count(self.0) }
    }
}

fn shape_of(sizes: &[usize]) -> Result<raw::Shape, Error> {
    if sizes.len() > raw::MAX_RANK || sizes.iter().any(|&size| i64::try_from(size).is_err()) {
        let message = format!("shape is {sizes:?}, expected at most {} sizes of 63 bits", raw::MAX_RANK);
        return Err(Error::here("shape", message));
    }
    let mut shape = raw::Shape { rank: sizes.len() as i32, sizes: [1; raw::MAX_RANK] };
    for (place, &size) in shape.sizes.iter_mut().zip(sizes) {
        *place = size as i64;
    }
    Ok(shape)
}
