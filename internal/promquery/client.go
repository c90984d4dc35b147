package promquery

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// Sample is one element of an answer.
type Sample struct {
	// Labels of the element; none for a scalar. They are what the query made of them: nothing about whose they are is to be read
	// from them but what Enforce has put in.
	Labels map[string]string
	Value  float64
	// At is the time that Prometheus gives the value.
	At time.Time
}

var (
	// ErrNoData is for an answer without an element: what was asked about is not there.
	ErrNoData = errors.New("the answer is empty")
	// ErrNotOne is for an answer with several elements where one number is wanted.
	ErrNotOne = errors.New("the answer has more than one element; wrap the query in sum or max")
)

var (
	errElements   = fmt.Errorf("the answer has more than %d elements; wrap the query in an aggregation", maxElements)
	errHistograms = errors.New("the answer has histograms; wrap the query in histogram_quantile or histogram_count")
)

// What one question may take.
const (
	questionTime  = 10 * time.Second
	maxElements   = 1000
	maxAnswer     = 4 << 20
	defaultAtOnce = 8
)

// Options of a Client.
type Options struct {
	// URL of a server that answers Prometheus' HTTP API.
	URL string
	// Transport reaches it; Transport of this package makes one with credentials. http.DefaultTransport when nil.
	Transport http.RoundTripper
	// Fresh is for how long an answer is given again to the same question; 0 for not at all.
	Fresh time.Duration
	// AtOnce is how many questions are asked at the same time; 8 when 0.
	AtOnce int
	// Metrics to count in; none when nil.
	Metrics *Metrics
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Client asks one Prometheus. It is safe for concurrent use.
type Client struct {
	api     promv1.API
	seats   *seats
	cache   cache
	metrics *Metrics
	now     func() time.Time
}

// New makes a client. It asks nothing yet.
func New(o Options) (*Client, error) {
	transport := o.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	c, err := api.NewClient(api.Config{Address: o.URL, Client: &http.Client{
		Transport: bounded{transport},
		// Credentials are for the server that is named, and for no other one that it points to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	if err != nil {
		return nil, fmt.Errorf("make client of Prometheus %q: %w", o.URL, err)
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	atOnce := o.AtOnce
	if atOnce == 0 {
		atOnce = defaultAtOnce
	}

	return &Client{
		api: promv1.NewAPI(c), seats: newSeats(atOnce),
		cache: cache{fresh: o.Fresh, now: now}, metrics: o.Metrics, now: now,
	}, nil
}

// Vector is the answer to a query of a tenant now, confined to its namespace; a scalar is one element without labels. It fails
// with ErrRefused when the query cannot be asked. An empty answer is no error. Nobody may change what it returns: equal
// questions share an answer.
func (c *Client) Vector(ctx context.Context, namespace, query string) ([]Sample, error) {
	confined, err := Enforce(query, namespace)
	if err != nil {
		c.metrics.asked(outcomeRefused)

		return nil, err
	}

	return c.cache.get(ctx, confined, func(ctx context.Context) ([]Sample, error) { return c.ask(ctx, namespace, confined) })
}

// Number is the answer where it is one number. It fails with ErrNoData when there is none, or when it is not a finite number,
// and with ErrNotOne when there are several.
func (c *Client) Number(ctx context.Context, namespace, query string) (float64, error) {
	answer, err := c.Vector(ctx, namespace, query)

	switch {
	case err != nil:
		return 0, err
	case len(answer) == 0:
		return 0, ErrNoData
	case len(answer) > 1:
		return 0, ErrNotOne
	case math.IsNaN(answer[0].Value) || math.IsInf(answer[0].Value, 0):
		return 0, fmt.Errorf("%w: it is %v", ErrNoData, answer[0].Value)
	default:
		return answer[0].Value, nil
	}
}

func (c *Client) ask(ctx context.Context, namespace, query string) ([]Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()

	leave, err := c.seats.take(ctx, namespace)
	if err != nil {
		c.metrics.asked(outcomeFailed)

		return nil, fmt.Errorf("ask Prometheus: too many questions wait: %w", err)
	}
	defer leave()

	began := c.now()
	// One more element than is allowed tells that there are too many. A server that knows no limit ignores it.
	value, _, err := c.api.Query(ctx, query, began, promv1.WithTimeout(questionTime), promv1.WithLimit(maxElements+1))
	c.metrics.took(c.now().Sub(began))
	if err != nil {
		c.metrics.asked(outcomeFailed)

		return nil, fmt.Errorf("ask Prometheus: %w", err)
	}

	out, err := samples(value)
	if err != nil {
		c.metrics.asked(outcomeFailed)

		return nil, err
	}
	c.metrics.asked(outcomeAnswered)

	return out, nil
}

func samples(value model.Value) ([]Sample, error) {
	switch v := value.(type) {
	case *model.Scalar:
		return []Sample{{Value: float64(v.Value), At: v.Timestamp.Time()}}, nil
	case model.Vector:
		if len(v) > maxElements {
			return nil, errElements
		}
		out := make([]Sample, 0, len(v))
		for _, s := range v {
			if s.Histogram != nil {
				return nil, errHistograms
			}
			labels := make(map[string]string, len(s.Metric))
			for name, value := range s.Metric {
				labels[string(name)] = string(value)
			}
			out = append(out, Sample{Labels: labels, Value: float64(s.Value), At: s.Timestamp.Time()})
		}

		return out, nil
	default:
		return nil, fmt.Errorf("ask Prometheus: unexpected answer of type %T", value)
	}
}
