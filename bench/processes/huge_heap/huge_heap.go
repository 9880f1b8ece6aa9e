package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

type list struct {
	head int
	tail *list
}

type node struct {
	tag string
	id  int
}

type item struct {
	id   int
	name *list
	next *node
}

type cell struct {
	item *item
	tail *cell
}

type pair struct{ a, b int }

var sink *pair

func main() {
	t0 := time.Now()
	last := t0
	var worst time.Duration
	look := func() {
		now := time.Now()
		if now.Sub(last) > worst {
			worst = now.Sub(last)
		}
		last = now
	}
	var live *cell
	for i := 2600000; i > 0; i-- {
		name := &list{i, &list{i + 1, &list{i + 2, nil}}}
		live = &cell{&item{i, name, &node{"node", i}}, live}
		if i%1000 == 0 {
			look()
		}
	}
	sink = &pair{0, 0}
	for n := 20000000; n > 0; n-- {
		sink = &pair{n, sink.a}
		if n%1000 == 0 {
			look()
		}
	}
	t1 := time.Now()
	runtime.GC()
	t2 := time.Now()
	length := 0
	for at := live; at != nil; at = at.tail {
		length++
	}
	fmt.Println(length)
	fmt.Fprintf(os.Stderr, "worst_ms %f\n", worst.Seconds()*1e3)
	fmt.Fprintf(os.Stderr, "collect_ms %f\n", t2.Sub(t1).Seconds()*1e3)
	fmt.Fprintf(os.Stderr, "ms %f\n", t1.Sub(t0).Seconds()*1e3)
}
