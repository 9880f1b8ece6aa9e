package main

import (
	"fmt"
	"os"
	"time"
)

func node(parent chan int, number, size int) {
	if size == 1 {
		parent <- number
		return
	}
	me := make(chan int)
	part := size / 10
	for i := 0; i < 10; i++ {
		go node(me, number+i*part, part)
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-me
	}
	parent <- sum
}

func main() {
	t0 := time.Now()
	c := make(chan int)
	go node(c, 0, 1000000)
	sum := <-c
	t := time.Since(t0)
	fmt.Println(sum)
	fmt.Fprintln(os.Stderr, "ms", float64(t.Nanoseconds())/1e6)
}
