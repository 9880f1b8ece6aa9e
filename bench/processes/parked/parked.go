package main

import (
	"fmt"
	"os"
	"time"
)

func resident() int {
	text, _ := os.ReadFile("/proc/self/statm")
	var size, pages int
	fmt.Sscan(string(text), &size, &pages)
	return pages * 4096
}

func park(me chan bool, main chan bool) {
	<-me
	main <- true
}

func main() {
	const n = 1000000
	before := resident()
	t0 := time.Now()
	here := make(chan bool, 1024)
	all := make([]chan bool, n)
	for i := range all {
		all[i] = make(chan bool, 1)
		go park(all[i], here)
	}
	t1 := time.Now()
	time.Sleep(10 * time.Millisecond)
	bytes := float64(resident()-before) / n
	t2 := time.Now()
	go func() {
		for _, c := range all {
			c <- true
		}
	}()
	for i := 0; i < n; i++ {
		<-here
	}
	t3 := time.Now()
	fmt.Println("ok")
	fmt.Fprintln(os.Stderr, "spawn_ms", float64(t1.Sub(t0).Nanoseconds())/1e6)
	fmt.Fprintln(os.Stderr, "wake_ms", float64(t3.Sub(t2).Nanoseconds())/1e6)
	fmt.Fprintln(os.Stderr, "process_bytes", bytes)
}
