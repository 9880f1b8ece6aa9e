package main

import (
	"fmt"
	"os"
	"time"
)

type ping struct {
	from chan int
	n    int
}

func main() {
	t0 := time.Now()
	in := make(chan ping)
	go func() {
		for p := range in {
			p.from <- p.n
		}
	}()
	me := make(chan int)
	for n := 1000000; n > 0; n-- {
		in <- ping{me, n}
		if <-me != n {
			panic("wrong")
		}
	}
	close(in)
	t := time.Since(t0)
	fmt.Println("done")
	fmt.Fprintln(os.Stderr, "ms", float64(t.Nanoseconds())/1e6)
}
