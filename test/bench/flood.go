package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/test/bench/measure"
)

// flood is 64 clients of the noisy tenant's that call the API as fast as it answers.
type flood struct {
	neighbours *neighbours
	stop       func()
	began      time.Time

	mu      sync.Mutex
	answers map[int]int
}

// flood begins one.
func (n *neighbours) flood(ctx context.Context) (*flood, error) {
	ctx, cancel := context.WithCancel(ctx)
	f := &flood{neighbours: n, began: time.Now(), answers: map[int]int{}}

	var wg sync.WaitGroup
	f.stop = func() { cancel(); wg.Wait() }
	for caller := range clients {
		c, err := n.server.RawAs(n.noisy)
		if err != nil {
			f.stop()

			return nil, err
		}
		wg.Go(func() {
			for i := caller; ctx.Err() == nil; i++ {
				f.note(call(context.WithoutCancel(ctx), c, i))
			}
		})
	}

	return f, nil
}

// call is one of what the flood consists of, and returns the code of the answer.
func call(ctx context.Context, c rest.Interface, i int) (code int) {
	const configMaps = "/api/v1/namespaces/" + noisyTenant + "/configmaps"

	request := c.Get().AbsPath(containersIn(noisyTenant))
	switch i % 4 {
	case 0:
		body := fmt.Appendf(nil, `{"metadata":{"name":"object-%d"},"data":{"value":"some text"}}`, i)
		request = c.Post().AbsPath(configMaps).SetHeader("Content-Type", "application/json").Body(body)
	case 1:
		body := fmt.Appendf(nil, `{"data":{"value":"%d"}}`, i)
		request = c.Patch("application/merge-patch+json").AbsPath(configMaps, "object-0").Body(body)
	case 2:
		request = c.Get().AbsPath(containersIn(quietTenant))
	}
	request.MaxRetries(0).Do(ctx).StatusCode(&code)

	return code
}

func (f *flood) note(code int) {
	f.mu.Lock()
	defer f.mu.Unlock()

	f.answers[code]++
}

// end ends the flood, tells how many calls there were, and looks at what they have left behind.
func (f *flood) end(add adder) error {
	f.stop()
	elapsed := time.Since(f.began).Seconds()
	total := 0
	for code, n := range f.answers {
		if code != 0 {
			total += n
		}
	}
	add("calls of the flood that were answered", measure.PerSecond, float64(total)/elapsed)
	add("of that with 429", measure.PerSecond, float64(f.answers[http.StatusTooManyRequests])/elapsed)

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var left corev1.ConfigMapList
	if err := f.neighbours.server.Client.List(ctx, &left, client.InNamespace(noisyTenant)); err != nil {
		return err
	}
	if len(left.Items) > 50 {
		return fmt.Errorf("the noisy tenant has %d ConfigMaps, and its quota allows 50", len(left.Items))
	}

	return nil
}
