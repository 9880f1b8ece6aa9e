package main

import (
	"fmt"
	"os"
	"time"
)

func relay(in, out chan int) {
	for {
		n := <-in
		if n == 0 {
			out <- 0
			return
		}
		out <- n - 1
	}
}

func main() {
	t0 := time.Now()
	last := make(chan int)
	next := last
	for i := 0; i < 1000; i++ {
		in := make(chan int)
		go relay(in, next)
		next = in
	}
	next <- 5000000
	result := 0
	for {
		n := <-last
		if n == 0 {
			break
		}
		next <- n - 1
	}
	t := time.Since(t0)
	fmt.Println(result)
	fmt.Fprintln(os.Stderr, "ms", float64(t.Nanoseconds())/1e6)
}
