// SPDX-License-Identifier: Apache-2.0
//! Groups of rotations, what they do to square images, and one layer.

use crate::error::{checked, Error};
use crate::raw;
use std::mem::MaybeUninit;
use std::ptr;

const FLOAT32: i32 = 0;
const DIRECT: i32 = 1; // to the last bit
const SAME: i64 = -1;

/// What a signal lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Plane = 0,
    Group = 1,
}

/// The rotations by multiples of 360 degrees / n.
#[derive(Debug)]
pub struct Group {
    handle: *mut raw::Handle,
    order: usize,
}

// SAFETY: "immutable once created", equiconv.h.
unsafe impl Send for Group {}
// SAFETY: as above.
unsafe impl Sync for Group {}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is not used again.
        unsafe { raw::equiconv_group_destroy(self.handle) }
    }
}

impl Group {
    pub fn cyclic(n: usize) -> Result<Self, Error> {
        let mut handle = ptr::null_mut();
        let number = i64::try_from(n).unwrap_or(i64::MAX);
        // SAFETY: `handle` is a place for one pointer.
        checked(|call| unsafe { raw::equiconv_group_create_cyclic_with_call(number, &mut handle, call) })?;
        Ok(Group { handle, order: n })
    }

    /// A square image (1, 1, size, size) lifted to (1, 1, n, size, size) by a kernel of 3 x 3, with "same" padding.
    pub fn lift(&self, size: usize, image: &[f32], weight: &[f32; 9], stride: i64) -> Result<Vec<f32>, Error> {
        if image.len() != size * size {
            return Err(Error::here("image", format!("image has {} numbers, expected {size} x {size}", image.len())));
        }
        let mut place = MaybeUninit::<raw::Descriptor>::uninit();
        // SAFETY: the function writes every field.
        let mut descriptor = unsafe {
            raw::equiconv_descriptor_init(place.as_mut_ptr());
            place.assume_init()
        };
        descriptor.group = self.handle;
        descriptor.dtype = FLOAT32;
        descriptor.algorithm = DIRECT;
        descriptor.dimension = 2;
        descriptor.in_channels = 1;
        descriptor.out_channels = 1;
        descriptor.spatial = [size as i64, size as i64, 0];
        descriptor.kernel = [3, 3, 0];
        descriptor.stride = [stride, stride, 1];
        descriptor.padding = [SAME, SAME, 0];
        let mut output = vec![0f32; self.order * size * size];
        // SAFETY: a stride of 1 gives an output of this size and larger ones a smaller one; no bias is given.
        checked(|call| unsafe {
            raw::equiconv_lifting_conv_with_call(
                &descriptor, 1, image.as_ptr().cast(), weight.as_ptr().cast(), ptr::null(),
                output.as_mut_ptr().cast(), call,
            )
        })?;
        Ok(output)
    }

    /// The action of an element on a signal of square planes.
    pub fn act(&self, element: usize, signal: Signal, size: usize, input: &[f32]) -> Result<Vec<f32>, Error> {
        let planes = if signal == Signal::Group { self.order } else { 1 };
        if input.len() != planes * size * size {
            return Err(Error::here("input", format!("input has {} numbers, expected {planes} planes", input.len())));
        }
        let spatial = [size as i64, size as i64];
        let mut output = vec![0f32; input.len()];
        // SAFETY: input and output have as many numbers as `signal` and `spatial` say.
        checked(|call| unsafe {
            raw::equiconv_act_with_call(
                self.handle, element as i64, FLOAT32, signal as i32, 1, 1, spatial.as_ptr(), input.as_ptr().cast(),
                output.as_mut_ptr().cast(), call,
            )
        })?;
        Ok(output)
    }
}
