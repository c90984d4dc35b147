package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/dogker/dogker/internal/promquery"
)

// answersStay is for how long an answer of Prometheus counts: questions are asked in rounds, and several may be the same.
const answersStay = 10 * time.Second

// prometheusFlags say which Prometheus answers queries.
type prometheusFlags struct {
	url string
	promquery.Credentials
}

func (f *prometheusFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.url, "prometheus-url", "", "`URL` of a Prometheus, or of what answers like one, for autoscaling and alerts by PromQL; such queries cannot be used when not set")
	flags.StringVar(&f.BearerTokenFile, "prometheus-bearer-token-file", "", "file with the token by which --prometheus-url knows us; read anew for every query")
	flags.StringVar(&f.BasicAuthFile, "prometheus-basic-auth-file", "", "file with NAME:PASSWORD by which --prometheus-url knows us; read anew for every query")
	flags.StringVar(&f.CAFile, "prometheus-ca-file", "", "authorities that may have signed the certificate of --prometheus-url; those of the system when not set")
}

// client is nil when there is no Prometheus.
func (f *prometheusFlags) client(reg prometheus.Registerer) (*promquery.Client, error) {
	if f.url == "" {
		if f.Credentials != (promquery.Credentials{}) {
			return nil, errors.New("--prometheus-bearer-token-file, --prometheus-basic-auth-file and --prometheus-ca-file need --prometheus-url")
		}

		return nil, nil
	}
	u, err := url.Parse(f.url)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("--prometheus-url: must be an http or https URL without credentials and query, such as https://prometheus.example.com")
	}
	transport, err := promquery.Transport(f.Credentials)
	if err != nil {
		return nil, fmt.Errorf("--prometheus-url: %w", err)
	}

	return promquery.New(promquery.Options{
		URL: f.url, Transport: transport, Fresh: answersStay, Metrics: promquery.NewMetrics(reg),
	})
}
