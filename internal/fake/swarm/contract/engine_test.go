//go:build e2e

package contract_test

import (
	"testing"

	"github.com/dogker/dogker/internal/fake/swarm/contract"
	"github.com/dogker/dogker/internal/lab"
)

func TestRealEngine(t *testing.T) {
	l := lab.Start(t, lab.Options{})

	image, err := l.ImageID(t.Context(), "v1")
	if err != nil {
		t.Fatal(err)
	}

	for _, c := range contract.All() {
		t.Run(c.Name, func(t *testing.T) {
			c.Run(t, contract.Engine{
				API: l.Nodes[0].Docker, Image: image, Missing: "127.0.0.1:1/none:v1", Entrypoint: "/app",
			})

			if t.Failed() {
				t.Log(c.Reason)
			}
		})
	}
}
