// Package promquery asks a Prometheus on behalf of tenants, each of whom sees nothing but what is its own.
//
//	query of a tenant ──► Enforce ──► {namespace="<tenant>"} in every selector ──► Client ──► Prometheus
//
// What holds: of a query that was let through, no selector can match a series whose label namespace is another tenant's. The
// query is taken apart and put together by Prometheus' own parser, and what comes out is taken apart again to see that it is
// so. What no matcher reaches is refused, and so is what would cost the platform more than an answer is worth.
//
// It depends on Prometheus being fed such that the label namespace is the platform's word and not a tenant's: a scrape keeps
// honor_labels off.
//
// Callers: cmd, which gives the Client to controllers, and admission, which refuses early what Enforce does. It must not import
// controllers.
package promquery
