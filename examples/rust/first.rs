// SPDX-License-Identifier: Apache-2.0
//! A first program in Rust, on the C interface alone: lift an image to the group of quarter turns, and see that
//! turning the image turns the result, to the last bit.
//!
//!     rustc -O first.rs -L "$(pkg-config --variable=libdir equiconv)" && ./first

use std::ffi::{c_char, c_void, CStr};
use std::process::ExitCode;

#[repr(C)]
pub struct Group {
    _opaque: [u8; 0],
}

#[repr(C)]
#[allow(dead_code)] // the library reads what this program does not
pub struct Descriptor {
    struct_size: usize,
    group: *const Group,
    layer: i32,
    dtype: i32,
    padding_mode: i32,
    algorithm: i32,
    dimension: i32,
    depthwise: i32,
    in_channels: i64,
    out_channels: i64,
    spatial: [i64; 3],
    kernel: [i64; 3],
    stride: [i64; 3],
    padding: [i64; 3],
    dilation: [i64; 3],
    basis: *const c_void,
    group_basis: *const c_void,
    input_stabilizer: *const c_void,
    output_stabilizer: *const c_void,
    interpolation: i32,
    quadrature: i32,
}

#[link(name = "equiconv")]
extern "C" {
    fn equiconv_group_create_cyclic(n: i64, group: *mut *mut Group) -> i32;
    fn equiconv_group_destroy(group: *mut Group);
    fn equiconv_descriptor_init(descriptor: *mut Descriptor);
    fn equiconv_lifting_conv(
        descriptor: *const Descriptor, batch: i64, input: *const c_void, weight: *const c_void, bias: *const c_void,
        output: *mut c_void,
    ) -> i32;
    fn equiconv_act(
        group: *const Group, element: i64, dtype: i32, signal: i32, batch: i64, channels: i64, spatial: *const i64,
        input: *const c_void, output: *mut c_void,
    ) -> i32;
    fn equiconv_status_name(status: i32) -> *const c_char;
    fn equiconv_last_error_message() -> *const c_char;
}

const FLOAT32: i32 = 0;
const DIRECT: i32 = 1; // to the last bit
const PLANE: i32 = 0;
const GROUP: i32 = 1;
const SAME: i64 = -1;
const SIZE: usize = 5;
const ELEMENTS: usize = 4;

/// The result of a call: its status name and message if it has failed.
fn checked(status: i32) -> Result<(), String> {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: both functions return valid C strings; the message is copied before the next call.
    let (name, message) = unsafe {
        (CStr::from_ptr(equiconv_status_name(status)), CStr::from_ptr(equiconv_last_error_message()))
    };
    Err(format!("{}: {}", name.to_string_lossy(), message.to_string_lossy()))
}

/// The rotations by 0, 90, 180 and 270 degrees.
struct QuarterTurns(*mut Group);

impl QuarterTurns {
    fn new() -> Result<Self, String> {
        let mut group = std::ptr::null_mut();
        // SAFETY: `group` is a place for one pointer.
        checked(unsafe { equiconv_group_create_cyclic(ELEMENTS as i64, &mut group) })?;
        Ok(QuarterTurns(group))
    }

    /// (1, 1, 5, 5) -> (1, 1, 4, 5, 5).
    fn lift(&self, image: &[f32], weight: &[f32; 9], stride: i64) -> Result<Vec<f32>, String> {
        assert_eq!(image.len(), SIZE * SIZE);
        let mut place = std::mem::MaybeUninit::<Descriptor>::uninit();
        // SAFETY: the function writes every field.
        let mut descriptor = unsafe {
            equiconv_descriptor_init(place.as_mut_ptr());
            place.assume_init()
        };
        descriptor.group = self.0;
        descriptor.dtype = FLOAT32;
        descriptor.algorithm = DIRECT;
        descriptor.dimension = 2;
        descriptor.in_channels = 1;
        descriptor.out_channels = 1;
        descriptor.spatial = [SIZE as i64, SIZE as i64, 0];
        descriptor.kernel = [3, 3, 0];
        descriptor.stride = [stride, stride, 1];
        descriptor.padding = [SAME, SAME, 0];
        let mut output = vec![0f32; ELEMENTS * SIZE * SIZE];
        // SAFETY: the arrays have the sizes that the descriptor says; no bias is given.
        checked(unsafe {
            equiconv_lifting_conv(
                &descriptor, 1, image.as_ptr().cast(), weight.as_ptr().cast(), std::ptr::null(),
                output.as_mut_ptr().cast(),
            )
        })?;
        Ok(output)
    }

    fn act(&self, element: usize, signal: i32, input: &[f32]) -> Result<Vec<f32>, String> {
        let spatial = [SIZE as i64, SIZE as i64];
        let planes = if signal == GROUP { ELEMENTS } else { 1 };
        assert_eq!(input.len(), planes * SIZE * SIZE);
        let mut output = vec![0f32; input.len()];
        // SAFETY: input and output have as many numbers as `signal` and `spatial` say.
        checked(unsafe {
            equiconv_act(
                self.0, element as i64, FLOAT32, signal, 1, 1, spatial.as_ptr(), input.as_ptr().cast(),
                output.as_mut_ptr().cast(),
            )
        })?;
        Ok(output)
    }
}

impl Drop for QuarterTurns {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is not used again.
        unsafe { equiconv_group_destroy(self.0) }
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn run() -> Result<bool, String> {
    let c4 = QuarterTurns::new()?;
    let image: Vec<f32> = (0..SIZE * SIZE).map(|i| (i * i % 7) as f32 / 3.0).collect();
    let weight = [0.1, -0.2, 0.3, 0.7, 0.5, -0.4, 0.2, 0.9, -0.6];
    let lifted = c4.lift(&image, &weight, 1)?;
    let mut equal = true;
    for g in 0..ELEMENTS {
        let left = c4.lift(&c4.act(g, PLANE, &image)?, &weight, 1)?;
        let right = c4.act(g, GROUP, &lifted)?;
        let same = bits(&left) == bits(&right);
        println!("turned by {:3} degrees: {}", g * 90, if same { "equal to the last bit" } else { "DIFFERENT" });
        equal &= same;
    }
    // A wrong call says what is wrong.
    if let Err(message) = c4.lift(&image, &weight, 0) {
        println!("{message}");
    }
    Ok(equal)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
