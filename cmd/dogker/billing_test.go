package main

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/swarmobj"
	"github.com/dogker/dogker/reconciler/usage"
)

type stillSwarm []usage.Task

func (s stillSwarm) Sample(context.Context) (usage.Sample, error) {
	return usage.Sample{Tasks: s, Nodes: map[string]usage.Node{"n": {}}}, nil
}

type register map[string]bool

func (r register) Paying(context.Context) (map[string]bool, error) {
	if r == nil {
		return nil, errors.New("the cache is not there")
	}

	return r, nil
}

func TestOnlyPayersAreMetered(t *testing.T) {
	task := func(id, tenant string) usage.Task {
		if tenant == "" {
			return usage.Task{ID: id}
		}

		return usage.Task{ID: id, Owner: swarmobj.Owner{Tenant: tenant, Kind: "TenantContainer", Name: "web", UID: "u"}}
	}
	swarm := stillSwarm{task("1", "acme"), task("2", "gratis"), task("3", ""), task("4", "acme")}

	got, err := payers{swarm, register{"acme": true}}.Sample(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, task := range got.Tasks {
		ids = append(ids, task.ID)
	}
	if diff := cmp.Diff([]string{"1", "3", "4"}, ids); diff != "" {
		t.Errorf("a task of nobody known may be a payer's, and only those of others are left out (-want +got):\n%s", diff)
	}
	if len(got.Nodes) != 1 {
		t.Errorf("the rest of the sample got lost: %+v", got)
	}
	if _, err := (payers{swarm, register(nil)}).Sample(t.Context()); err == nil {
		t.Error("a sample in which payers may be missing was taken for one in which nobody runs anything")
	}
}
