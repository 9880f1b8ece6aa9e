package main

import (
	"fmt"
	"os"
	"time"
)

type guest struct {
	answer chan int
	colour int
}

func blend(a, b int) int {
	if a == b {
		return a
	}
	return 3 - a - b
}

func creature(place chan guest, colour int, done chan int) {
	me := make(chan int, 1)
	met := 0
	for {
		place <- guest{me, colour}
		other := <-me
		if other < 0 {
			done <- met
			return
		}
		colour = blend(colour, other)
		met++
	}
}

func main() {
	t0 := time.Now()
	place := make(chan guest, 16)
	done := make(chan int, 16)
	for i := 0; i < 10; i++ {
		go creature(place, i%3, done)
	}
	for n := 0; n < 500000; n++ {
		a := <-place
		b := <-place
		a.answer <- b.colour
		b.answer <- a.colour
	}
	for i := 0; i < 10; i++ {
		(<-place).answer <- -1
	}
	sum := 0
	for i := 0; i < 10; i++ {
		sum += <-done
	}
	t := time.Since(t0)
	fmt.Println(sum)
	fmt.Fprintln(os.Stderr, "ms", float64(t.Nanoseconds())/1e6)
}
