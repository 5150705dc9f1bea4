// SPDX-License-Identifier: Apache-2.0
//! Declarations of equiconv.h, as far as this crate uses them.

use std::ffi::{c_char, c_void};

pub const MAX_RANK: usize = 6;
pub const MESSAGE_SIZE: usize = 1024;

#[repr(C)]
pub struct Handle {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Shape {
    pub rank: i32,
    pub sizes: [i64; MAX_RANK],
}

#[repr(C)]
pub struct Call {
    pub struct_size: usize,
    pub is_cancelled: Option<extern "C" fn(*mut c_void) -> i32>,
    pub context: *mut c_void,
    pub status: i32,
    pub message: [c_char; MESSAGE_SIZE],
}

#[repr(C)]
pub struct Options {
    pub struct_size: usize,
    pub mode: i32,
}

#[repr(C)]
#[allow(dead_code)] // the library reads what this crate does not
pub struct Descriptor {
    pub struct_size: usize,
    pub group: *const Handle,
    pub layer: i32,
    pub dtype: i32,
    pub padding_mode: i32,
    pub algorithm: i32,
    pub dimension: i32,
    pub channel_groups: i32,
    pub in_channels: i64,
    pub out_channels: i64,
    pub spatial: [i64; 3],
    pub kernel: [i64; 3],
    pub stride: [i64; 3],
    pub padding: [i64; 3],
    pub dilation: [i64; 3],
    pub basis: *const c_void,
    pub group_basis: *const c_void,
    pub input_stabilizer: *const c_void,
    pub output_stabilizer: *const c_void,
    pub interpolation: i32,
    pub quadrature: i32,
}

#[link(name = "equiconv")]
extern "C" {
    pub fn equiconv_call_init(call: *mut Call);
    pub fn equiconv_status_name(status: i32) -> *const c_char;

    pub fn equiconv_group_create_cyclic_with_call(n: i64, group: *mut *mut Handle, call: *mut Call) -> i32;
    pub fn equiconv_group_destroy(group: *mut Handle);
    pub fn equiconv_descriptor_init(descriptor: *mut Descriptor);
    pub fn equiconv_lifting_conv_with_call(
        descriptor: *const Descriptor, batch: i64, input: *const c_void, weight: *const c_void, bias: *const c_void,
        output: *mut c_void, call: *mut Call,
    ) -> i32;
    pub fn equiconv_act_with_call(
        group: *const Handle, element: i64, dtype: i32, signal: i32, batch: i64, channels: i64, spatial: *const i64,
        input: *const c_void, output: *mut c_void, call: *mut Call,
    ) -> i32;

    pub fn equiconv_network_options_init(options: *mut Options);
    pub fn equiconv_network_open_with_call(
        path: *const c_char, options: *const Options, network: *mut *mut Handle, call: *mut Call,
    ) -> i32;
    pub fn equiconv_network_open_memory_with_call(
        bytes: *const c_void, length: usize, options: *const Options, network: *mut *mut Handle, call: *mut Call,
    ) -> i32;
    pub fn equiconv_network_close(network: *mut Handle);
    pub fn equiconv_network_output_count(network: *const Handle) -> i32;
    pub fn equiconv_network_output_name(network: *const Handle, index: i32) -> *const c_char;
    pub fn equiconv_network_class_count(network: *const Handle, index: i32) -> i64;
    pub fn equiconv_network_class_name(network: *const Handle, index: i32, channel: i64) -> *const c_char;
    pub fn equiconv_network_describe_with_call(
        network: *const Handle, capacity: usize, text: *mut c_char, length: *mut usize, call: *mut Call,
    ) -> i32;
    pub fn equiconv_network_get_output_shape_with_call(
        network: *const Handle, index: i32, input: *const Shape, output: *mut Shape, call: *mut Call,
    ) -> i32;
    pub fn equiconv_network_reserve_with_call(network: *const Handle, input: *const Shape, call: *mut Call) -> i32;
    pub fn equiconv_network_run_with_call(
        network: *const Handle, dtype: i32, input_shape: *const Shape, input: *const c_void,
        outputs: *const *mut c_void, output_count: i32, call: *mut Call,
    ) -> i32;
    pub fn equiconv_network_check_with_call(network: *const Handle, call: *mut Call) -> i32;
}
