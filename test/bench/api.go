package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/test/bench/measure"
	"github.com/dogker/dogker/test/bench/rig"
)

const (
	rawEtcd = "raw etcd"

	// clients of the API, each with a connection of its own.
	clients = 64
	// objectBytes is about what an object weighs.
	objectBytes = 2048

	apiNamespace = "objects"
	revisions    = "/apis/dogker.io/v1alpha1/namespaces/" + apiNamespace + "/containerrevisions"
	rawPrefix    = "/bench/"
)

var api = benchmark{
	name:  "api",
	title: "API throughput",
	about: "64 clients create, and then patch, objects of 2 KB (1,000 in profile quick, 5,000 in full), through everything that a request " +
		"meets: TLS, authentication, authorisation, priority and fairness, schema with its rules, admission, audit. The objects are ContainerRevisions " +
		"that belong to nothing, so that no controller answers to them. Raw etcd takes transactions of the bytes that Dogker stores. At the end all " +
		"objects are there.",
	run: func(ctx context.Context, s *session) error {
		server, etcd, err := s.apiAndEtcd(ctx)
		if err != nil {
			return err
		}
		callers, err := newCallers(server)
		if err != nil {
			return err
		}
		stored, err := weigh(ctx, callers[0])
		if err != nil {
			return err
		}
		s.say("an object weighs %d bytes", len(stored))

		return s.take(ctx, s.rounds,
			arm{rawEtcd, func(ctx context.Context, add adder) error { return rawTurn(ctx, etcd, stored, s.objects, add) }},
			arm{measure.Ours, func(ctx context.Context, add adder) error { return apiTurn(ctx, callers, s.objects, add) }},
		)
	},
}

// apiAndEtcd starts a server without an engine, because none is needed, and an etcd beside it.
func (s *session) apiAndEtcd(ctx context.Context) (*rig.Server, *rig.Etcd, error) {
	server, err := s.server(ctx, "unix://"+s.dir+"/no-engine.sock")
	if err != nil {
		return nil, nil, err
	}
	etcd, err := s.etcd()
	if err != nil {
		return nil, nil, err
	}

	return server, etcd, server.Client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: apiNamespace}})
}

// newCallers are clients that are connected.
func newCallers(server *rig.Server) ([]rest.Interface, error) {
	out := make([]rest.Interface, clients)
	for i := range out {
		c, err := server.Raw()
		if err != nil {
			return nil, err
		}
		if err := c.Get().AbsPath("/version").Do(context.Background()).Error(); err != nil {
			return nil, err
		}
		out[i] = c
	}

	return out, nil
}

func revisionName(i int) string { return fmt.Sprintf("object-%05d", i) }

// revision is an object of about the right size.
func revision(i int) ([]byte, error) {
	r := &v1alpha1.ContainerRevision{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ContainerRevision"},
		ObjectMeta: metav1.ObjectMeta{Namespace: apiNamespace, Name: revisionName(i)},
		Spec: v1alpha1.ContainerRevisionSpec{
			Container: "none", Revision: int64(i + 1), TemplateHash: fmt.Sprintf("h%09d", i),
			Template: rig.Container(apiNamespace, "none", 1).Spec,
		},
	}
	for n := range 10 {
		value := v1alpha1.Text(strings.Repeat(fmt.Sprintf("%d-value-", i+n), 12))
		r.Spec.Template.Env = append(r.Spec.Template.Env, v1alpha1.EnvVar{Name: fmt.Sprintf("SETTING_%d", n), Value: &value})
	}
	content, err := json.Marshal(r)
	if missing := objectBytes - len(content); missing > 0 {
		r.Annotations = map[string]string{"bench/padding": strings.Repeat("x", missing)}
		content, err = json.Marshal(r)
	}

	return content, err
}

// weigh creates an object, reads what is stored of it, and deletes it.
func weigh(ctx context.Context, c rest.Interface) ([]byte, error) {
	body, err := revision(0)
	if err != nil {
		return nil, err
	}
	stored, err := c.Post().AbsPath(revisions).SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Raw()
	if err != nil {
		return nil, fmt.Errorf("create revision: %w", err)
	}

	return stored, c.Delete().AbsPath(revisions, revisionName(0)).Do(ctx).Error()
}

// apiTurn creates, patches and deletes objects over the API.
func apiTurn(ctx context.Context, callers []rest.Interface, n int, add adder) error {
	bodies := make([][]byte, n)
	for i := range bodies {
		body, err := revision(i)
		if err != nil {
			return err
		}
		bodies[i] = body
	}

	err := timed(ctx, "create", n, add, func(ctx context.Context, caller, i int) error {
		return callers[caller].Post().AbsPath(revisions).SetHeader("Content-Type", "application/json").Body(bodies[i]).Do(ctx).Error()
	})
	if err != nil {
		return err
	}
	err = timed(ctx, "patch", n, add, func(ctx context.Context, caller, i int) error {
		return patchRevision(ctx, callers[caller], i, i)
	})
	if err != nil {
		return err
	}

	return deleteRevisions(ctx, callers[0], n)
}

func patchRevision(ctx context.Context, c rest.Interface, i, value int) error {
	body := fmt.Appendf(nil, `{"metadata":{"annotations":{"bench/patched":"%d"}}}`, value)

	return c.Patch(types.MergePatchType).AbsPath(revisions, revisionName(i)).Body(body).Do(ctx).Error()
}

// deleteRevisions deletes all objects, after it has seen that there are n, each patched.
func deleteRevisions(ctx context.Context, c rest.Interface, n int) error {
	raw, err := c.Get().AbsPath(revisions).Do(ctx).Raw()
	if err != nil {
		return err
	}
	var list v1alpha1.ContainerRevisionList
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	patched := 0
	for i := range list.Items {
		if list.Items[i].Annotations["bench/patched"] != "" {
			patched++
		}
	}
	if len(list.Items) != n || patched == 0 {
		return fmt.Errorf("there are %d objects, %d of them patched, and should be %d", len(list.Items), patched, n)
	}

	return c.Delete().AbsPath(revisions).Do(ctx).Error()
}

// rawTurn makes the same transactions without an API in front.
func rawTurn(ctx context.Context, etcd *rig.Etcd, stored []byte, n int, add adder) error {
	key := func(i int) string { return rawPrefix + revisionName(i) }

	err := timed(ctx, "create", n, add, func(ctx context.Context, caller, i int) error {
		return etcd.Create(ctx, caller, key(i), stored)
	})
	if err != nil {
		return err
	}
	at, err := etcd.Revisions(ctx, rawPrefix)
	if err != nil {
		return err
	}
	if len(at) != n {
		return fmt.Errorf("there are %d keys, and should be %d", len(at), n)
	}
	err = timed(ctx, "patch", n, add, func(ctx context.Context, caller, i int) error {
		_, err := etcd.Update(ctx, caller, key(i), stored, at[key(i)])
		return err
	})
	if err != nil {
		return err
	}

	return etcd.Clear(ctx, rawPrefix)
}

// timed lets the clients do something n times in all, each one after the other.
func timed(ctx context.Context, verb string, n int, add adder, do func(ctx context.Context, caller, i int) error) error {
	took := make(measure.Values, n)
	errs := make([]error, clients)

	began := time.Now()
	var wg sync.WaitGroup
	for caller := range clients {
		wg.Go(func() {
			for i := caller; i < n; i += clients {
				start := time.Now()
				if err := do(ctx, caller, i); err != nil {
					errs[caller] = fmt.Errorf("%s object %d: %w", verb, i, err)
					return
				}
				took[i] = time.Since(start).Seconds()
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(began)

	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	add(verb+", all", measure.Seconds, elapsed.Seconds())
	add(verb+", rate", measure.PerSecond, float64(n)/elapsed.Seconds())
	add(verb+", p50", measure.Seconds, took.Median())
	add(verb+", p99", measure.Seconds, took.Percentile(99))
	add(verb+", slowest", measure.Seconds, took.Percentile(100))

	return nil
}
