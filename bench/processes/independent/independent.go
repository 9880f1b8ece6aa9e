package main

import (
	"fmt"
	"os"
	"time"
)

type cell struct {
	value int
	next  *cell
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func sums(n int) int {
	acc := 0
	for ; n > 0; n-- {
		var xs *cell
		for x := 100; x >= 1; x-- {
			xs = &cell{x * n, xs}
		}
		for ; xs != nil; xs = xs.next {
			acc += xs.value
		}
		acc %= 1000003
	}
	return acc
}

func main() {
	t0 := time.Now()
	c := make(chan int)
	for i := 0; i < 16; i++ {
		go func() { c <- fib(25) + sums(20000) }()
	}
	sum := 0
	for i := 0; i < 16; i++ {
		sum += <-c
	}
	t := time.Since(t0)
	fmt.Println(sum)
	fmt.Fprintln(os.Stderr, "ms", float64(t.Nanoseconds())/1e6)
}
