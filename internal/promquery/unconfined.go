package promquery

import (
	"context"

	"github.com/prometheus/prometheus/promql/parser"
)

// Check is nil for a query whose answer is a number or a vector. A namespace other than the empty one is what it is to be
// confined to. It fails with ErrRefused.
func Check(query, namespace string) error {
	if namespace != "" {
		_, err := Enforce(query, namespace)

		return err
	}

	if len(query) > maxLength {
		return refusef("it has %d characters; at most %d are allowed", len(query), maxLength)
	}

	expr, err := parser.ParseExpr(query)
	if err != nil {
		return refusef("%v", err)
	}

	if t := expr.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return refusef("its answer is a %s; it must be a scalar or an instant vector", parser.DocumentedType(t))
	}

	return nil
}

// Everywhere is the answer to a query of the platform now, which sees all namespaces. Otherwise it is as Vector.
func (c *Client) Everywhere(ctx context.Context, query string) ([]Sample, error) {
	if err := Check(query, ""); err != nil {
		c.metrics.asked(outcomeRefused)

		return nil, err
	}

	return c.cache.get(ctx, "everywhere "+query, func(ctx context.Context) ([]Sample, error) { return c.ask(ctx, platform, query) })
}
