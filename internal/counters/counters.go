package counters

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/dogker/dogker/internal/fleet"
)

const (
	// patience with one container.
	patience = 3 * time.Second
	// maxPage is how long its answer may be.
	maxPage = 4 << 20
)

// Dialer connects to ports of containers; fleet.Runtime is one.
type Dialer interface {
	Dial(ctx context.Context, at fleet.Place, port uint16) (net.Conn, error)
}

// Counter says which counter is wanted.
type Counter struct {
	Port uint16
	Path string
	// Name of the counter. That of a histogram or a summary with _count behind it counts what they have observed.
	Name string
	// Labels that a series must have.
	Labels map[string]string
}

// Reader reads counters. It is safe for concurrent use.
type Reader struct{ dialer Dialer }

// NewReader makes a reader.
func NewReader(d Dialer) *Reader { return &Reader{dialer: d} }

// Read is the sum of all series of a counter that have its labels. It fails when there are none. The text of its error may be
// shown to the owner of the container.
func (r *Reader) Read(ctx context.Context, at fleet.Place, c Counter) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()

	page, err := r.fetch(ctx, at, c)
	if err != nil {
		return 0, err
	}
	defer page.Body.Close() //nolint:errcheck // It was only read.

	unreadable := fmt.Errorf("what port %d answers at %s cannot be read as metrics", c.Port, c.Path)
	about, err := linesOf(page.Body, c.Name)
	if err != nil {
		return 0, unreadable
	}
	// Text is what was asked for, whatever the container says that it is: the decoder of protocol buffers makes as much room as
	// a message claims to need.
	decoder := expfmt.NewDecoder(about, expfmt.NewFormat(expfmt.TypeTextPlain))
	sum, found := 0.0, false
	for {
		var family dto.MetricFamily
		if err := decoder.Decode(&family); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, unreadable
		}
		for _, m := range family.GetMetric() {
			if v, ok := valueOf(&family, m, c.Name); ok && matches(m, c.Labels) {
				sum, found = sum+v, true
			}
		}
	}
	if !found {
		return 0, fmt.Errorf("the metrics have no counter %s with these labels", c.Name)
	}

	return sum, nil
}

// fetch asks the container for its metrics.
func (r *Reader) fetch(ctx context.Context, at fleet.Place, c Counter) (*http.Response, error) {
	client := http.Client{
		Transport: &http.Transport{
			DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return r.dialer.Dial(ctx, at, c.Port) },
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10, ResponseHeaderTimeout: patience,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://localhost:%d%s", c.Port, c.Path), nil)
	if err != nil {
		return nil, fmt.Errorf("path %q cannot be asked for", c.Path)
	}
	req.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	req.Header.Set("User-Agent", "dogker")

	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("port %d does not answer", c.Port)
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close() // It is not read.

		return nil, fmt.Errorf("port %d answers %d at %s", c.Port, resp.StatusCode, c.Path)
	}

	return resp, nil
}

// valueOf is how often something was counted in one series; false for what is another metric, or no counter.
func valueOf(family *dto.MetricFamily, m *dto.Metric, name string) (float64, bool) {
	var v float64
	switch counted, is := strings.CutSuffix(name, "_count"); {
	case family.GetName() == name && m.Counter != nil:
		v = m.GetCounter().GetValue()
	case family.GetName() == name && m.Untyped != nil:
		v = m.GetUntyped().GetValue()
	case is && family.GetName() == counted && m.Histogram != nil:
		v = float64(m.GetHistogram().GetSampleCount())
	case is && family.GetName() == counted && m.Summary != nil:
		v = float64(m.GetSummary().GetSampleCount())
	default:
		return 0, false
	}

	return v, v >= 0 && !math.IsInf(v, 0)
}

func matches(m *dto.Metric, labels map[string]string) bool {
	has := map[string]string{}
	for _, l := range m.GetLabel() {
		has[l.GetName()] = l.GetValue()
	}
	for name, value := range labels {
		if has[name] != value {
			return false
		}
	}

	return true
}
