// SPDX-License-Identifier: Apache-2.0

package main

// #cgo pkg-config: equiconv
// #include <equiconv.h>
// #include <stdlib.h>
import "C"

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"unsafe"
)

// network is a trained network that is one file. Goroutines may share it.
type network struct {
	handle *C.equiconv_network
}

// openNetwork opens a file, which nobody may change in place until it is closed.
func openNetwork(path string) (*network, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	opened := &network{}
	err := try(func(call *C.equiconv_call) C.equiconv_status {
		return C.equiconv_network_open_with_call(name, nil, &opened.handle, call)
	})
	if err != nil {
		return nil, err
	}
	return opened, nil
}

func (n *network) close() {
	C.equiconv_network_close(n.handle)
	n.handle = nil
}

// run gives the numbers of the first output, which has to be the only one.
func (n *network) run(shape []int, input []float32) ([]float32, error) {
	var of, result C.equiconv_shape
	if len(shape) > C.EQUICONV_MAX_RANK {
		return nil, fmt.Errorf("shape is %v, expected at most %d sizes", shape, C.EQUICONV_MAX_RANK)
	}
	of.rank = C.int32_t(len(shape))
	count := 1
	for axis, size := range shape {
		of.sizes[axis] = C.int64_t(size)
		count *= size
	}
	if count != len(input) || count == 0 {
		return nil, fmt.Errorf("input has %d numbers, expected those of the shape %v", len(input), shape)
	}
	err := try(func(call *C.equiconv_call) C.equiconv_status {
		return C.equiconv_network_get_output_shape_with_call(n.handle, 0, &of, &result, call)
	})
	if err != nil {
		return nil, err
	}
	count = 1
	for axis := 0; axis < int(result.rank); axis++ {
		count *= int(result.sizes[axis])
	}
	// C gets a list of pointers, which may not be pointers to memory of Go.
	memory := (*C.float)(C.calloc(C.size_t(count), 4))
	if memory == nil {
		return nil, errors.New("no memory for the output")
	}
	defer C.free(unsafe.Pointer(memory))
	outputs := [1]unsafe.Pointer{unsafe.Pointer(memory)}
	err = try(func(call *C.equiconv_call) C.equiconv_status {
		return C.equiconv_network_run_with_call(n.handle, C.EQUICONV_FLOAT32, &of, unsafe.Pointer(&input[0]),
			&outputs[0], 1, call)
	})
	if err != nil {
		return nil, err
	}
	return append([]float32(nil), unsafe.Slice((*float32)(memory), count)...), nil
}

// className is the name of a channel of the first output; "" if it has none.
func (n *network) className(channel int) string {
	name := C.equiconv_network_class_name(n.handle, 0, C.int64_t(channel))
	if name == nil {
		return ""
	}
	return C.GoString(name)
}

// readPlanes reads a binary PGM or PPM as a shape (1, channels, rows, columns) and planes of numbers from 0 to 255.
func readPlanes(source io.Reader) ([]int, []float32, error) {
	reader := bufio.NewReader(source)
	var kind string
	var columns, rows, most int
	if _, err := fmt.Fscan(reader, &kind, &columns, &rows, &most); err != nil {
		return nil, nil, fmt.Errorf("expected a binary PGM or PPM of 8 bits, without comments: %w", err)
	}
	if (kind != "P5" && kind != "P6") || columns < 1 || columns > 99999 || rows < 1 || rows > 99999 || most != 255 {
		return nil, nil, errors.New("expected a binary PGM or PPM of 8 bits, without comments")
	}
	if _, err := reader.ReadByte(); err != nil {
		return nil, nil, err
	}
	channels := 1
	if kind == "P6" {
		channels = 3
	}
	bytes := make([]byte, channels*rows*columns)
	if _, err := io.ReadFull(reader, bytes); err != nil {
		return nil, nil, fmt.Errorf("the image is cut short: %w", err)
	}
	image := make([]float32, len(bytes))
	for i, value := range bytes {
		image[i%channels*rows*columns+i/channels] = float32(value)
	}
	return []int{1, channels, rows, columns}, image, nil
}

// classify prints the scores of an image.
func classify(path string) error {
	opened, err := openNetwork(path)
	if err != nil {
		return err
	}
	defer opened.close()
	shape, image, err := readPlanes(os.Stdin)
	if err != nil {
		return err
	}
	scores, err := opened.run(shape, image)
	if err != nil {
		return err
	}
	for channel, score := range scores {
		fmt.Printf("%-12s %.9g\n", opened.className(channel), score)
	}
	return nil
}
