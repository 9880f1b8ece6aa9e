package main

import (
	"fmt"
	"os"
	"time"
)

type letter struct {
	from chan letter // nil: a pong
}

const members = 800

func member(me chan letter, all []chan letter, done chan bool) {
	for _, p := range all {
		p <- letter{me}
	}
	for pings, pongs := members, members; pings+pongs > 0; {
		if l := <-me; l.from != nil {
			l.from <- letter{}
			pings--
		} else {
			pongs--
		}
	}
	done <- true
}

func main() {
	t0 := time.Now()
	all := make([]chan letter, members)
	for i := range all {
		all[i] = make(chan letter, 2*members) // room for all, or two that fill each other would wait for ever
	}
	done := make(chan bool)
	for _, me := range all {
		go member(me, all, done)
	}
	for range all {
		<-done
	}
	t := time.Since(t0)
	fmt.Println("ok")
	fmt.Fprintln(os.Stderr, "ms", float64(t.Nanoseconds())/1e6)
}
