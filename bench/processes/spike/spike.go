package main

import (
	"fmt"
	"os"
	"time"
)

type triple struct{ a, b, c int }

type cell struct {
	value *triple
	next  *cell
}

func build(n int) *cell {
	var all *cell
	for ; n > 0; n-- {
		all = &cell{&triple{n, n + 1, n + 2}, all}
	}
	return all
}

func length(all *cell) int {
	n := 0
	for ; all != nil; all = all.next {
		n++
	}
	return n
}

func ticks(n int) time.Duration {
	worst := time.Duration(0)
	for ; n > 0; n-- {
		t0 := time.Now()
		time.Sleep(time.Millisecond)
		worst = max(worst, time.Since(t0)-time.Millisecond)
	}
	return worst
}

func max(a, b time.Duration) time.Duration {
	if a > b {
		return a
	}
	return b
}

func main() {
	worst := time.Duration(0)
	for i := 0; i < 3; i++ {
		built := make(chan int)
		go func() { built <- length(build(4000000)) }()
		<-built
		worst = max(worst, ticks(1500))
	}
	fmt.Println("done")
	status, _ := os.ReadFile("/proc/self/statm")
	var all, pages int
	fmt.Sscan(string(status), &all, &pages)
	fmt.Fprintf(os.Stderr, "worst_ms %v\n", float64(worst)/1e6)
	fmt.Fprintf(os.Stderr, "resident_mb %v\n", float64(pages)*4096/1e6)
}
