package main

import (
	"fmt"
	"os"
	"time"
)

// Go shares what it sends; to do the same work, the sender copies it, cell by cell as the others do.
type pair struct {
	x   int
	tag *string
}

type cell struct {
	value *pair
	next  *cell
}

type message struct {
	from chan int
	xs   *cell
}

func copied(xs *cell) *cell {
	var head *cell
	last := &head
	for ; xs != nil; xs = xs.next {
		*last = &cell{&pair{xs.value.x, xs.value.tag}, nil}
		last = &(*last).next
	}
	return head
}

func measure(label string, size, n int, in chan message) int {
	tag := "tag"
	var xs *cell
	for x := size; x >= 1; x-- {
		xs = &cell{&pair{x, &tag}, xs}
	}
	me := make(chan int)
	t0 := time.Now()
	sum := 0
	for i := 0; i < n; i++ {
		in <- message{me, copied(xs)}
		sum += <-me
	}
	fmt.Fprintln(os.Stderr, label, float64(time.Since(t0).Nanoseconds())/float64(n))
	return sum
}

func main() {
	in := make(chan message)
	go func() {
		for m := range in {
			k := 0
			for xs := m.xs; xs != nil; xs = xs.next {
				k++
			}
			m.from <- k
		}
	}()
	small := measure("of_1kb_ns", 25, 200000, in)
	large := measure("of_100kb_ns", 2500, 2000, in)
	close(in)
	fmt.Println(small, large)
}
