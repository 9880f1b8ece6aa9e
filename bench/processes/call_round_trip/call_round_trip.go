package main

import (
	"fmt"
	"os"
	"time"
)

type call struct {
	reply chan int
	x     int
}

func main() {
	t0 := time.Now()
	in := make(chan call)
	go func() {
		for c := range in {
			c.reply <- c.x + 1
		}
	}()
	sum := 0
	for n := 1000000; n > 0; n-- {
		reply := make(chan int, 1)
		in <- call{reply, n}
		sum += <-reply
	}
	close(in)
	t := time.Since(t0)
	fmt.Println(sum)
	fmt.Fprintln(os.Stderr, "ms", float64(t.Nanoseconds())/1e6)
}
