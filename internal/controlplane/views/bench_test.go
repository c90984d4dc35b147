package views

import (
	"fmt"
	"io"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/core/install"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// crowd shows 5,000 tasks of 500 containers.
func crowd(b *testing.B) (*Views, *store, *world) {
	b.Helper()
	w := newWorld("a")
	w.hint, w.hintNode = func(swarmobj.Owner) {}, func() {}
	for i := range 500 {
		for slot := range 10 {
			w.add(ownerOf(i), slot+1)
		}
	}
	v := New(Options{Swarm: w})
	v.refreshNodes(b.Context())
	for _, o := range w.Owners() {
		v.refresh(b.Context(), o)
	}
	close(v.filled)
	s := newStore(v.pods, v.ready)
	if list, err := s.List(b.Context(), nil); err != nil {
		b.Fatal(err, list)
	}

	return v, s, w
}

// BenchmarkTable is what `kubectl get pods -A` costs the server, but for sending it.
func BenchmarkTable(b *testing.B) {
	_, s, _ := crowd(b)
	for b.Loop() {
		list, err := s.List(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.ConvertToTable(b.Context(), list, &metav1.TableOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkJSON is what `kubectl get pods -A -o json` costs the server, but for sending it.
func BenchmarkJSON(b *testing.B) {
	_, s, _ := crowd(b)
	info, _ := runtime.SerializerInfoForMediaType(legacyscheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeJSON)
	encoder := legacyscheme.Codecs.EncoderForVersion(info.Serializer, legacyscheme.Scheme.PrioritizedVersionsForGroup("")[0])
	for b.Loop() {
		list, err := s.List(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := encoder.Encode(list, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkChange is what one change of one task among all costs.
func BenchmarkChange(b *testing.B) {
	v, _, w := crowd(b)
	states := []swarm.TaskState{swarm.TaskStateRunning, swarm.TaskStateStarting}
	for n := 0; b.Loop(); n++ {
		o := ownerOf(n % 500)
		w.change(o, func(s *swarmobj.ServiceTasks) { s.Tasks[0].State, s.Tasks[0].Version = states[n%2], w.version })
		v.refresh(b.Context(), o)
	}
	if got := fmt.Sprint(v.pods.shelf.count); got != "5000" {
		b.Errorf("%s pods are shown, want 5000", got)
	}
}
