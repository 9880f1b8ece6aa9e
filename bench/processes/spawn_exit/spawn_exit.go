package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	t0 := time.Now()
	c := make(chan int)
	sum := 0
	for n := 1000000; n > 0; n-- {
		go func(n int) { c <- n }(n)
		sum += <-c
	}
	t := time.Since(t0)
	fmt.Println(sum)
	fmt.Fprintln(os.Stderr, "ms", float64(t.Nanoseconds())/1e6)
}
