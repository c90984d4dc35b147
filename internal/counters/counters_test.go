package counters

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/dogker/dogker/internal/fleet"
)

// container is one whose ports all lead to the handler.
type container struct{ address string }

func (c container) Dial(ctx context.Context, at fleet.Place, _ uint16) (net.Conn, error) {
	if at.Container != "web" {
		return nil, errors.New("node 10.0.0.7 does not answer")
	}

	return (&net.Dialer{}).DialContext(ctx, "tcp", c.address)
}

func serve(t *testing.T, h http.HandlerFunc) container {
	t.Helper()

	server := httptest.NewServer(h)
	t.Cleanup(server.Close)

	return container{server.Listener.Addr().String()}
}

const page = `# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200",method="GET"} 100
http_requests_total{code="200",method="POST"} 20
http_requests_total{code="500",method="GET"} 3
# TYPE temperature gauge
temperature 21
plain_total 7
# TYPE latency histogram
latency_bucket{le="1"} 4
latency_bucket{le="+Inf"} 9
latency_sum 12
latency_count 9
# TYPE age summary
age{quantile="0.5"} 1
age_sum 5
age_count 11
`

func TestRead(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		reason  string
		counter Counter
		where   string
		page    http.HandlerFunc
		want    float64
		says    string
	}{
		"All":         {reason: "All series of a counter are added up.", counter: Counter{Name: "http_requests_total"}, want: 123},
		"Labels":      {reason: "Those that have the labels.", counter: Counter{Name: "http_requests_total", Labels: map[string]string{"code": "200"}}, want: 120},
		"AllLabels":   {reason: "All of them.", counter: Counter{Name: "http_requests_total", Labels: map[string]string{"code": "200", "method": "POST"}}, want: 20},
		"Untyped":     {reason: "What has no type is believed.", counter: Counter{Name: "plain_total"}, want: 7},
		"Histogram":   {reason: "A histogram counts what it has observed.", counter: Counter{Name: "latency_count"}, want: 9},
		"Summary":     {reason: "So does a summary.", counter: Counter{Name: "age_count"}, want: 11},
		"Gauge":       {reason: "What goes up and down counts nothing.", counter: Counter{Name: "temperature"}, says: "no counter temperature"},
		"NoSuch":      {reason: "What is not there is not zero.", counter: Counter{Name: "other_total"}, says: "no counter other_total"},
		"NoSuchLabel": {reason: "Nor is what has other labels.", counter: Counter{Name: "http_requests_total", Labels: map[string]string{"code": "404"}}, says: "no counter"},
		"Gone":        {reason: "Where the container is, is not told.", counter: Counter{Name: "x", Port: 9090}, where: "gone", says: "port 9090 does not answer"},
		"NotFound": {
			reason: "What it answers is.", counter: Counter{Name: "x"}, says: "answers 404 at /metrics",
			page: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		},
		"Redirect": {
			reason: "It leads nowhere else.", counter: Counter{Name: "x"}, says: "answers 307",
			page: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://169.254.169.254/", http.StatusTemporaryRedirect)
			},
		},
		"Garbage": {
			reason: "What is no metrics is not guessed at.", counter: Counter{Name: "x"}, says: "cannot be read as metrics",
			page: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "<html>hello</html>") },
		},
		"Endless": {
			reason: "A page without an end is not read to its end.", counter: Counter{Name: "http_requests_total"}, says: "",
			page: func(w http.ResponseWriter, _ *http.Request) {
				for line := "http_requests_total{a=\"" + strings.Repeat("x", 1000) + "\"} 1\n"; ; {
					if _, err := io.WriteString(w, line); err != nil {
						return
					}
				}
			},
		},
		"Claims": {
			reason:  "A container that claims to answer with a message of 64 GiB in protocol buffers gets no room for it.",
			counter: Counter{Name: "x"}, says: "cannot be read as metrics",
			page: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited")
				_, _ = w.Write(append(binary.AppendUvarint(nil, 64<<30), "\nhello"...))
			},
		},
		"ManySeries": {
			reason: "A counter of more series than anybody has is not kept in memory.", counter: Counter{Name: "x"}, says: "cannot be read as metrics",
			page: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x 1\n", maxSeries+1)) },
		},
		"Cut": {
			reason: "A page that is too long is not read up to the middle of a number.", counter: Counter{Name: "x"}, says: "cannot be read as metrics",
			page: func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, strings.Repeat("other 1\n", maxPage/8), "x 123\n")
			},
		},
		"Others": {
			reason: "What else there is makes no difference.", counter: Counter{Name: "x"}, want: 5,
			page: func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, strings.Repeat("other 1\n", 2*maxSeries), "# a comment\n# TYPE x counter\n\n x{a=\"{ b\"} 2\nx 3\nx_sum 7\nxy 1\n")
			},
		},
		"Silent": {
			reason: "Who says nothing is not waited for.", counter: Counter{Name: "x"}, says: "does not answer",
			page: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			handler := c.page
			if handler == nil {
				handler = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page) }
			}
			at, counter := fleet.Place{Container: "web"}, c.counter
			if c.where != "" {
				at.Container = c.where
			}
			counter.Path = "/metrics"

			began := time.Now()
			got, err := NewReader(serve(t, handler)).Read(t.Context(), at, counter)
			if took := time.Since(began); took > patience+5*time.Second {
				t.Errorf("it took %s", took)
			}
			if (err != nil) != (c.want == 0) || got != c.want || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%s\ngot %v, %v", c.reason, got, err)
			}
			if err != nil && strings.Contains(err.Error(), "10.0.0.7") {
				t.Errorf("it tells where: %v", err)
			}
		})
	}
}
