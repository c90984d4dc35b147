// Package monitoring holds manifests/prometheus and manifests/grafana against Prometheus' own tools and against the metrics
// that there are: rules and configuration are taken by promtool and do what their tests say, every expression is one, every
// metric in them stands in docs/reference/metrics.md or is one of a library's that is named here, every alert leads to a page
// that names it, and dashboards of tenants ask about one namespace only.
//
// It needs promtool, which make setup installs. What a real Prometheus makes of it is in test/e2e.
package monitoring
