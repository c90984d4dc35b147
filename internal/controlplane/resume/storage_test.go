package resume

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"
	"k8s.io/client-go/tools/cache"
)

var errBoom = errors.New("boom")

// scripted is a storage whose watch delivers what it is told to.
type scripted struct {
	storage.Interface

	events []watch.Event
	asked  int
}

func (s *scripted) Watch(context.Context, string, storage.ListOptions) (watch.Interface, error) {
	s.asked++
	w := watch.NewFakeWithChanSize(len(s.events)+1, false)
	for _, e := range s.events {
		w.Action(e.Type, e.Object)
	}

	return w, nil
}

func changed(name string) watch.Event {
	return watch.Event{Type: watch.Modified, Object: &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name}}}
}

func failed(code int32) watch.Event {
	return watch.Event{Type: watch.Error, Object: &metav1.Status{Code: code}}
}

func TestWatch(t *testing.T) {
	from := storage.ListOptions{ResourceVersion: "7"}
	cases := map[string]struct {
		reason  string
		cache   []watch.Event
		etcd    []watch.Event
		openErr error
		options storage.ListOptions
		want    []watch.Event
		behind  int
	}{
		"CacheIsSilent": {
			reason:  "A cache that knows the version and has nothing to tell is left alone.",
			options: from,
		},
		"CacheHasEvents": {
			reason:  "Looking for a refusal must not lose or reorder what the cache delivers.",
			cache:   []watch.Event{changed("a"), changed("b")},
			options: from,
			want:    []watch.Event{changed("a"), changed("b")},
		},
		"CacheIsTooYoung": {
			reason:  "What the cache has not seen, etcd has.",
			cache:   []watch.Event{failed(http.StatusGone)},
			etcd:    []watch.Event{changed("a")},
			options: from,
			want:    []watch.Event{changed("a")},
			behind:  1,
		},
		"Compacted": {
			reason:  "When etcd has forgotten too, the client must list again.",
			cache:   []watch.Event{failed(http.StatusGone)},
			etcd:    []watch.Event{failed(http.StatusGone)},
			options: from,
			want:    []watch.Event{failed(http.StatusGone)},
			behind:  1,
		},
		"OtherFailure": {
			reason:  "Only a version that is too old is a reason to ask etcd.",
			cache:   []watch.Event{failed(http.StatusTooManyRequests)},
			options: from,
			want:    []watch.Event{failed(http.StatusTooManyRequests)},
		},
		"EtcdCannotBeOpened": {
			reason:  "The client then gets the answer it would have got without us.",
			cache:   []watch.Event{failed(http.StatusGone)},
			openErr: errBoom,
			options: from,
			want:    []watch.Event{failed(http.StatusGone)},
		},
		"FromNow": {
			reason: "A watch without a version has nothing to resume.",
			cache:  []watch.Event{failed(http.StatusGone)},
			want:   []watch.Event{failed(http.StatusGone)},
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			behind := &scripted{events: tc.etcd}
			s := &resuming{Interface: &scripted{events: tc.cache}, open: func() (storage.Interface, factory.DestroyFunc, error) {
				return behind, func() {}, tc.openErr
			}}

			w, err := s.Watch(t.Context(), "/x", tc.options)
			if err != nil {
				t.Fatal(err)
			}
			var got []watch.Event
			for range tc.want {
				got = append(got, <-w.ResultChan())
			}
			w.Stop()

			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if behind.asked != tc.behind {
				t.Errorf("%s\nasked etcd %d times, want %d", tc.reason, behind.asked, tc.behind)
			}
		})
	}
}

// TestClosed: a storage of a kind that is removed takes the connection behind it along, and opens no other.
func TestClosed(t *testing.T) {
	destroyed := 0
	s := &resuming{Interface: &scripted{}, open: func() (storage.Interface, factory.DestroyFunc, error) {
		return &scripted{}, func() { destroyed++ }, nil
	}}
	if _, err := s.uncached(); err != nil {
		t.Fatal(err)
	}

	s.close()
	s.close()

	if destroyed != 1 {
		t.Errorf("destroyed %d times, want once", destroyed)
	}
	if _, err := s.uncached(); err == nil {
		t.Error("a closed storage was opened again")
	}
}

// TestWrap: the wrapped getter hands out storages of ours, made by the decorator that was there before.
func TestWrap(t *testing.T) {
	inner := &scripted{}
	options := generic.RESTOptions{Decorator: func(
		*storagebackend.ConfigForResource, string, func(runtime.Object) (string, error), func() runtime.Object, func() runtime.Object,
		storage.AttrFunc, storage.IndexerFuncs, *cache.Indexers,
	) (storage.Interface, factory.DestroyFunc, error) {
		return inner, func() {}, nil
	}}

	got, err := Wrap(options).GetRESTOptions(schema.GroupResource{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := got.Decorator(nil, "", nil, nil, nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}

	if r, ok := made.(*resuming); !ok || r.Interface != storage.Interface(inner) {
		t.Errorf("got %T, want a resuming storage around the one that was there", made)
	}
}
