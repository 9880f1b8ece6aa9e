package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"time"
)

type cell struct {
	value int
	next  *cell
}

type pair struct {
	x  int
	xs *cell
}

type pairs struct {
	value pair
	next  *pairs
}

var sink int

func churn() {
	n := 0
	for {
		var xs *pairs
		for x := 1; x <= 1000; x++ {
			xs = &pairs{pair{x, &cell{x, nil}}, xs}
		}
		for ; xs != nil; xs = xs.next {
			n++
		}
		if n < 0 {
			sink = n
		}
	}
}

func spin() {
	for n := 0; ; n++ {
		if n < 0 {
			sink = n
		}
	}
}

func hold(held chan bool) {
	var xs *cell
	for x := 31250000; x >= 1; x-- {
		xs = &cell{x, xs}
	}
	held <- true
	for {
		runtime.GC()
		time.Sleep(100 * time.Millisecond)
		if xs == nil {
			return
		}
	}
}

func main() {
	held := make(chan bool)
	go hold(held)
	<-held
	for i := 0; i < 4; i++ {
		go churn()
	}
	go spin()
	late := make([]float64, 0, 3000)
	for i := 0; i < 3000; i++ {
		t0 := time.Now()
		time.Sleep(time.Millisecond)
		late = append(late, float64(time.Since(t0).Nanoseconds()-1000000)/1e6)
	}
	sort.Sort(sort.Reverse(sort.Float64Slice(late)))
	fmt.Println(len(late))
	fmt.Fprintln(os.Stderr, "p50_ms", late[1500])
	fmt.Fprintln(os.Stderr, "p99_9_ms", late[3])
	fmt.Fprintln(os.Stderr, "worst_ms", late[0])
}
