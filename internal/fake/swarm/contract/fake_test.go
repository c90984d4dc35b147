package contract_test

import (
	"testing"
	"testing/synctest"

	"github.com/dogker/dogker/internal/fake/swarm"
	"github.com/dogker/dogker/internal/fake/swarm/contract"
)

func TestFakeEngine(t *testing.T) {
	for _, c := range contract.All() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cluster := swarm.NewCluster(swarm.Options{})
				cluster.AddImage(swarm.Image{Ref: "dogker.test/app:v1", ID: "sha256:1111"})

				c.Run(t, contract.Engine{
					API: cluster.Admin(), Image: "sha256:1111", Missing: "127.0.0.1:1/none:v1", Entrypoint: "/app",
				})

				if t.Failed() {
					t.Log(c.Reason)
				}
			})
		})
	}
}
