package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	t0 := time.Now()
	c := make(chan int, 1024)
	for i := 0; i < 100; i++ {
		go func() {
			for n := 20000; n > 0; n-- {
				c <- n
			}
		}()
	}
	sum := 0
	for i := 0; i < 2000000; i++ {
		sum += <-c
	}
	t := time.Since(t0)
	fmt.Println(sum)
	fmt.Fprintln(os.Stderr, "ms", float64(t.Nanoseconds())/1e6)
}
