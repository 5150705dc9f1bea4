// SPDX-License-Identifier: Apache-2.0

// A first program in Go, on the C interface alone: lift an image to the group of quarter turns, and see that turning the
// image turns the result, to the last bit; then let many goroutines fail at once, each with its own message. With the name
// of a network file it classifies the image on standard input instead; see network.go.
//
//	go build -o first . && ./first
//	pngtopnm image.png | ./first network.safetensors
package main

// #cgo pkg-config: equiconv
// #include <equiconv.h>
import "C"

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"unsafe"
)

const (
	size     = 5
	elements = 4
)

// try makes one call and gives its error. A goroutine may go on on another thread after any call, so status and message
// come in a struct of the call: equiconv_last_error_message() would be that of whatever ran on this thread.
func try(function func(call *C.equiconv_call) C.equiconv_status) error {
	var call C.equiconv_call
	C.equiconv_call_init(&call)
	if status := function(&call); status != C.EQUICONV_SUCCESS {
		return fmt.Errorf("%s: %s", C.GoString(C.equiconv_status_name(status)), C.GoString(&call.message[0]))
	}
	return nil
}

// cyclic is the group of the rotations by multiples of 360 degrees / n.
func cyclic(n int) (group *C.equiconv_group, err error) {
	err = try(func(call *C.equiconv_call) C.equiconv_status {
		return C.equiconv_group_create_cyclic_with_call(C.int64_t(n), &group, call)
	})
	return group, err
}

// lift takes an image (1, 1, 5, 5) to (1, 1, 4, 5, 5).
func lift(group *C.equiconv_group, image []float32, weight []float32) ([]float32, error) {
	var layer C.equiconv_descriptor
	C.equiconv_descriptor_init(&layer) // sizes and handles only: no Go pointer gets into it
	layer.group = group
	layer.algorithm = C.EQUICONV_ALGORITHM_DIRECT
	layer.dimension = 2
	layer.in_channels, layer.out_channels = 1, 1
	for axis := 0; axis < 2; axis++ {
		layer.spatial[axis], layer.kernel[axis], layer.padding[axis] = size, 3, C.EQUICONV_PADDING_SAME
	}
	output := make([]float32, elements*len(image))
	err := try(func(call *C.equiconv_call) C.equiconv_status {
		return C.equiconv_lifting_conv_with_call(&layer, 1, unsafe.Pointer(&image[0]), unsafe.Pointer(&weight[0]), nil,
			unsafe.Pointer(&output[0]), call)
	})
	return output, err
}

// turn acts on a signal by an element of the group.
func turn(group *C.equiconv_group, element int, signal C.equiconv_signal, input []float32) ([]float32, error) {
	spatial := [2]C.int64_t{size, size}
	output := make([]float32, len(input))
	err := try(func(call *C.equiconv_call) C.equiconv_status {
		return C.equiconv_act_with_call(group, C.int64_t(element), C.EQUICONV_FLOAT32, signal, 1, 1, &spatial[0],
			unsafe.Pointer(&input[0]), unsafe.Pointer(&output[0]), call)
	})
	return output, err
}

// commutes reports whether turning the image turns the result, to the last bit.
func commutes(group *C.equiconv_group, element int, image []float32, weight []float32) (bool, error) {
	lifted, err := lift(group, image, weight)
	if err != nil {
		return false, err
	}
	turnedLifted, err := turn(group, element, C.EQUICONV_SIGNAL_GROUP, lifted)
	if err != nil {
		return false, err
	}
	turned, err := turn(group, element, C.EQUICONV_SIGNAL_PLANE, image)
	if err != nil {
		return false, err
	}
	liftedTurned, err := lift(group, turned, weight)
	if err != nil {
		return false, err
	}
	for i := range liftedTurned {
		if liftedTurned[i] != turnedLifted[i] {
			return false, nil
		}
	}
	return true, nil
}

// ownMessages lets goroutines fail, each with a number of its own, and counts the messages that name it.
func ownMessages(goroutines, calls int) int {
	var group sync.WaitGroup
	own := make([]int, goroutines)
	for g := 0; g < goroutines; g++ {
		group.Add(1)
		go func(g int) {
			defer group.Done()
			for i := 0; i < calls; i++ {
				n := -(1 + g*calls + i)
				_, err := cyclic(n)
				if err != nil && strings.Contains(err.Error(), fmt.Sprintf("n is %d,", n)) {
					own[g]++
				}
			}
		}(g)
	}
	group.Wait()
	total := 0
	for _, count := range own {
		total += count
	}
	return total
}

func run() error {
	group, err := cyclic(elements)
	if err != nil {
		return err
	}
	defer C.equiconv_group_destroy(group)
	image := make([]float32, size*size)
	for i := range image {
		image[i] = float32(i*i%7) / 3
	}
	weight := []float32{0.1, -0.2, 0.3, 0.7, 0.5, -0.4, 0.2, 0.9, -0.6}
	for element := 0; element < elements; element++ {
		same, err := commutes(group, element, image, weight)
		if err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("turned by %d degrees: different", 90*element)
		}
		fmt.Printf("turned by %3d degrees: equal to the last bit\n", 90*element)
	}
	const goroutines, calls = 64, 100
	if own := ownMessages(goroutines, calls); own != goroutines*calls {
		return fmt.Errorf("%d of %d failures had a message of their own", own, goroutines*calls)
	}
	fmt.Printf("%d goroutines: each failure had its own message\n", goroutines)
	return nil
}

func main() {
	first := run
	if len(os.Args) == 2 {
		first = func() error { return classify(os.Args[1]) }
	}
	if err := first(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
