package exposition

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// thousands is a world of so many tasks on one node, in services of ten.
func thousands(tasks int) *world {
	w := newWorld()
	for i := range tasks / 10 {
		w.container(fmt.Sprintf("tenant-%d", i/5), fmt.Sprintf("web-%d", i%5), 10)
	}

	return w
}

// BenchmarkScrape is a scrape of a node with 5,000 tasks, as text and not compressed.
func BenchmarkScrape(b *testing.B) {
	s := thousands(5000).server(b)
	h, _ := s.NodePage("node1", CAdvisorPage)
	r := httptest.NewRequest(http.MethodGet, "https://api.example/", nil)
	w := &discard{header: http.Header{}}
	b.ReportAllocs()

	for b.Loop() {
		w.bytes = 0
		h.ServeHTTP(w, r)
	}
	b.ReportMetric(float64(w.bytes), "page-bytes")
}

// discard takes a page and keeps its size.
type discard struct {
	header http.Header
	bytes  int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { d.bytes += len(p); return io.Discard.Write(p) }

// TestManyScrapesAtOnce is for the race detector: pages are made while ends are counted and parts of the server come up.
func TestManyScrapesAtOnce(t *testing.T) {
	w := thousands(100)
	s := w.server(t)

	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 3 {
				if got := nodePage(t, s, CAdvisorPage).Code; got != http.StatusOK {
					t.Errorf("a page answers %d", got)
				}
			}
		})
		wg.Go(func() {
			for _, path := range []string{allMetrics, "/apis/monitoring.dogker.io/v1alpha1/namespaces/tenant-1/metrics", NodesPath, PodsPath} {
				if got := get(t, s, path).Code; got != http.StatusOK {
					t.Errorf("%s answers %d", path, got)
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			s.lookForEnds()
			s.ShowSamples(w)
		}
	})
	wg.Wait()
}
