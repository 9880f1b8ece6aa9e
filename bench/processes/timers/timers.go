package main

import (
	"fmt"
	"os"
	"time"
)

func start(n int, base int, f func()) []*time.Timer {
	timers := make([]*time.Timer, 0, n)
	for ; n > 0; n-- {
		timers = append(timers, time.AfterFunc(time.Duration(base+n%1000)*time.Millisecond, f))
	}
	return timers
}

func main() {
	const many = 1000000
	ticks := make(chan bool, 1024)
	tick := func() { ticks <- true }
	t0 := time.Now()
	timers := start(many, 100000, tick)
	t1 := time.Now()
	n := 0
	for _, timer := range timers {
		if timer.Stop() {
			n++
		}
	}
	t2 := time.Now()
	start(many, 1, tick)
	for i := 0; i < many; i++ {
		<-ticks
	}
	t3 := time.Now()
	fmt.Println(n, "ok")
	fmt.Fprintln(os.Stderr, "start_ns", float64(t1.Sub(t0).Nanoseconds())/many)
	fmt.Fprintln(os.Stderr, "cancel_ns", float64(t2.Sub(t1).Nanoseconds())/many)
	fmt.Fprintln(os.Stderr, "start_and_fire_ms", float64(t3.Sub(t2).Nanoseconds())/1e6)
}
