package agents

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	agents *prometheus.GaugeVec
	held   prometheus.Gauge
	writes *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		agents: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dogker_agents",
			Help: "Nodes that are to have an agent, by how it stands: Running, Starting or Failing.",
		}, []string{"state"}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "dogker_agents_held",
			Help: "1 while the service of the agents cannot be kept as it should be.",
		}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dogker_agents_writes_total",
			Help: "Writes of the service of the agents to Swarm, by operation: create, update or remove.",
		}, []string{"op"}),
	}
	m.count(nil)
	if reg != nil {
		reg.MustRegister(m.agents, m.held, m.writes)
	}

	return m
}

func (m metrics) count(by map[state]int) {
	for _, s := range []state{stateRunning, stateStarting, stateFailing} {
		m.agents.WithLabelValues(string(s)).Set(float64(by[s]))
	}
}
