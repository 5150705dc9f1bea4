/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/network.h: trained networks, as one file each. A part of equiconv.h: include that. */
#ifndef EQUICONV_NETWORK_H
#define EQUICONV_NETWORK_H

#include "layer_objects.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Networks ------------------------------------------------------------------------------------------- */

/*
 * A network file is a safetensors file: parameters under the names of their state_dict, and one JSON document with the
 * operations, the groups, the input and the outputs. docs/NetworkFormat.md of the project specifies it.
 *
 *   equiconv_network *network = NULL;
 *   equiconv_network_open("digits.safetensors", NULL, &network);
 *   const equiconv_shape shape = {4, {1, 1, 28, 28}};
 *   float scores[10];
 *   void *const outputs[] = {scores};
 *   equiconv_network_run(network, EQUICONV_FLOAT32, &shape, image, outputs, 1);
 *   equiconv_network_close(network);
 *
 * A file is not trusted: whatever its bytes, opening and running it ends with a result or with an error.
 */

/**
 * A network: what its file says, with the parameters that it computes with. Opaque; safe to run from several threads at
 * once. The plans and arrays that it needs for a size of input are made when a call first has that size, or by
 * equiconv_network_reserve, and kept for the next.
 */
typedef struct equiconv_network equiconv_network;

/** How the layers of a network are computed. */
typedef enum equiconv_network_mode {
  EQUICONV_NETWORK_FAST = 0, /**< by the algorithms expected to be fastest: equivariant up to rounding */
  EQUICONV_NETWORK_EXACT = 1 /**< bitwise equivariant; the bits depend neither on threads nor on the batch */
} equiconv_network_mode;

/** Options of opening. Begin with `= EQUICONV_NETWORK_OPTIONS_INIT` or equiconv_network_options_init. */
typedef struct equiconv_network_options {
  size_t struct_size;         /**< sizeof(equiconv_network_options), given by the caller */
  equiconv_network_mode mode; /**< EQUICONV_NETWORK_FAST unless set */
} equiconv_network_options;

#define EQUICONV_NETWORK_OPTIONS_INIT {sizeof(equiconv_network_options), EQUICONV_NETWORK_FAST}

/** Sets what EQUICONV_NETWORK_OPTIONS_INIT does, for languages that see no macros. NULL is fine. */
EQUICONV_API void equiconv_network_options_init(equiconv_network_options *options);

/** The most axes of a tensor in a file. */
#define EQUICONV_MAX_TENSOR_RANK 8

/** An array of numbers in a file, by its name. */
typedef struct equiconv_tensor {
  const char *name; /**< UTF-8 with a closing 0 */
  const char *type; /**< of its numbers, as safetensors spells it: "F32", "F64", "I64", "U8", ... */
  int32_t rank;     /**< 0 to EQUICONV_MAX_TENSOR_RANK */
  int64_t shape[EQUICONV_MAX_TENSOR_RANK]; /**< shape[0 .. rank - 1]; the others are not read, and set to 1 */
  const void *data;                        /**< little-endian, in C order; any alignment. May be NULL if it is empty */
  size_t length;                           /**< bytes of data, as type and shape say */
} equiconv_tensor;

/* ---- Opening and saving ---- */

/*
 * The functions that open take NULL for `options` as the initial ones, and give a network that the caller ends with
 * equiconv_network_close. They check the document and every tensor that an operation names, fold what can be folded,
 * and make no transforms of weights. Errors: STRUCT_SIZE, INVALID_ENUM; INVALID_FILE for bytes that are no safetensors
 * file with a network; INVALID_DOCUMENT for a document that says what it may not say, or does not fit the tensors;
 * UNSUPPORTED_VERSION, UNSUPPORTED_OPERATION for one from a later version of this library; TOO_LARGE beyond the limits
 * of docs/NetworkFormat.md; those of layers and groups, with the operation that has it; OUT_OF_MEMORY. Memory is at most
 * 64 times the header and 3 times the tensors that operations name, plus the tables of groups.
 */

/**
 * Opens a file. One of 64 MiB of numbers or more is mapped, not read: it must not be changed in place while the network
 * is open, as by truncating it. Replacing it by a new one, as equiconv_network_save does, is fine. `path` is UTF-8.
 * Errors, besides: FILE_SYSTEM, with the system's words.
 */
EQUICONV_API equiconv_status equiconv_network_open(const char *path, const equiconv_network_options *options,
                                                   equiconv_network **network);
/** The same from the bytes of a file, which are copied. */
EQUICONV_API equiconv_status equiconv_network_open_memory(const void *bytes, size_t length,
                                                          const equiconv_network_options *options,
                                                          equiconv_network **network);
/**
 * Makes a network of a document, `length` bytes of JSON, and `count` tensors with names of their own, which are copied:
 * to save it, or to run it. Derived keys of the document, `axes` and `geometry`, are not needed. Errors, besides:
 * INVALID_ARRAY for a tensor whose length is not that of its type and shape, and for a name that two have.
 */
EQUICONV_API equiconv_status equiconv_network_create(const char *document, size_t length,
                                                     const equiconv_tensor *tensors, int64_t count,
                                                     const equiconv_network_options *options,
                                                     equiconv_network **network);
/**
 * Writes the file, with all tensors as they were given: beside `path` first, and then in its place, so that readers see
 * the old one or the new one. Equal networks give equal bytes. Error: FILE_SYSTEM.
 */
EQUICONV_API equiconv_status equiconv_network_save(const equiconv_network *network, const char *path);
/** Ends a network, once no call runs it any more. NULL is fine. */
EQUICONV_API void equiconv_network_close(equiconv_network *network);

/* ---- What is in it ---- */

/**
 * The document as JSON, as the file has it, axes and geometry included. Writes the text and a closing 0 to
 * text[0 .. capacity - 1], and its length without the 0 to `length`. With capacity 0 it writes the length alone, and
 * `text` may be NULL. Errors: INVALID_SIZE where `capacity` is neither 0 nor above the length.
 */
EQUICONV_API equiconv_status equiconv_network_describe(const equiconv_network *network, size_t capacity, char *text,
                                                       size_t *length);
/** The type of the arrays of equiconv_network_run. */
EQUICONV_API equiconv_status equiconv_network_get_dtype(const equiconv_network *network, equiconv_dtype *dtype);
/** The number of outputs, at least 1; 0 if `network` is NULL. */
EQUICONV_API int32_t equiconv_network_output_count(const equiconv_network *network);
/** The name of an output; valid until the network is closed. NULL for a network that is NULL or an index beyond. */
EQUICONV_API const char *equiconv_network_output_name(const equiconv_network *network, int32_t index);
/** The number of classes of an output, one for each of its channels; 0 if they have no names. */
EQUICONV_API int64_t equiconv_network_class_count(const equiconv_network *network, int32_t index);
/** The name of a class; valid until the network is closed. NULL if there is none. */
EQUICONV_API const char *equiconv_network_class_name(const equiconv_network *network, int32_t index, int64_t channel);
/** Shape of the input: (batch, channels, [|X|,] spatial...), with 0 for what is free, as the batch always is. */
EQUICONV_API equiconv_status equiconv_network_get_input_shape(const equiconv_network *network, equiconv_shape *shape);
/**
 * Shape of an output for an input of this shape. Errors: INDEX_OUT_OF_RANGE; INVALID_ARRAY for an input that the
 * network does not read, and those of layers for one that they do not.
 */
EQUICONV_API equiconv_status equiconv_network_get_output_shape(const equiconv_network *network, int32_t index,
                                                               const equiconv_shape *input, equiconv_shape *output);

/** The number of tensors in the file, test arrays included; 0 if `network` is NULL. */
EQUICONV_API int64_t equiconv_network_tensor_count(const equiconv_network *network);
/** A tensor by its place in the order of names. Its pointers are valid until the network is closed. Error:
 * INDEX_OUT_OF_RANGE. */
EQUICONV_API equiconv_status equiconv_network_get_tensor(const equiconv_network *network, int64_t index,
                                                         equiconv_tensor *tensor);

/* ---- Running ---- */

/** Makes what calls with inputs of this shape need, transforms of weights included, so that the first of them is as
 * fast as the next. Errors: those of equiconv_network_get_output_shape, OUT_OF_MEMORY. */
EQUICONV_API equiconv_status equiconv_network_reserve(const equiconv_network *network, const equiconv_shape *input);
/**
 * Runs the network: outputs[i] is an array of the shape equiconv_network_get_output_shape(network, i, ...), of
 * `output_count` of them, which is that of the network. All arrays are of `dtype`, C-contiguous and do not overlap.
 * Errors: DTYPE_MISMATCH unless `dtype` is that of the network; INVALID_SIZE for `output_count`; NULL_POINTER,
 * MISALIGNED_POINTER, OVERLAP; those of equiconv_network_reserve. Nothing is written then.
 */
EQUICONV_API equiconv_status equiconv_network_run(const equiconv_network *network, equiconv_dtype dtype,
                                                  const equiconv_shape *input_shape, const void *input,
                                                  void *const *outputs, int32_t output_count);
/**
 * What a call with an input of this shape does, as JSON: {"operations": [...]}, one for each operation that is left after
 * folding, with its "name" and "kind" in the document and
 *
 *   "operation"         its position among the operations of the document, whose names need not be unique; null for the
 *                       normalization of the input; some operations are several steps
 *   "function"          the pointwise function that is applied where results are stored, or null
 *   "shape"             of its output
 *   "algorithm"         of a convolution: "direct", "winograd", "fourier" or "group-fourier"; else null
 *   "exact"             whether turning its input turns its output to the last bit, for every element that maps the
 *                       grid of pixels to itself: not where a stride leaves a remainder on an axis that is reversed,
 *                       nor for a flattening of pixels that are moved
 *   "estimate"          seconds by a cost model, or null
 *   "seconds"           as they were measured on zeros: the network runs twice
 *   "images"            that pass through it together
 *   "weight_bytes", "transform_bytes", "workspace_bytes"
 *
 * `capacity`, `text` and `length` are as in equiconv_network_describe; texts for equal arguments have equal lengths as
 * long as threads and workspace stay as they are.
 */
EQUICONV_API equiconv_status equiconv_network_explain(const equiconv_network *network, const equiconv_shape *input,
                                                      size_t capacity, char *text, size_t *length);

/**
 * Runs the test that the file has: the SHA-256 of its arrays is that in the document, and what the network writes for
 * the test's input differs from what is stored by at most 1e-5 (float32) or 1e-12 (float64) of the largest number of
 * an output. A file without a test has nothing to fail. Error: FAILED_TEST, with what differs.
 */
EQUICONV_API equiconv_status equiconv_network_check(const equiconv_network *network);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_NETWORK_H */
