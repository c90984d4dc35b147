package adopt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// Importer has services adopted through the API, as whoever its client is.
type Importer struct {
	Engine Engine
	Client client.Client
	// Out is told of each container that was adopted.
	Out io.Writer
	// Timeout is how long the server may take for one step, and Poll how often it is asked.
	Timeout, Poll time.Duration
}

// Outcome is what came of an import.
type Outcome struct {
	// Adopted are the names of services that are containers now.
	Adopted []string
	// Pending are those of which the server has not said anything in time. It may adopt them yet.
	Pending []string
	// Tasks is how many tasks the adopted services had, and Replaced are those that do not run any more.
	Tasks    int
	Replaced []string
}

// Prepare asks the server about each container without storing it, and makes the result anew without those that it refuses.
func (i *Importer) Prepare(ctx context.Context, live *Live, options Options) (Result, error) {
	if err := i.hasTenant(ctx, options); err != nil {
		return Result{}, err
	}

	result := Make(live, options)
	options.Refused = map[string]string{}
	for _, a := range result.Adoptions {
		err := i.Client.Create(ctx, a.Container.DeepCopy(), client.DryRunAll)
		switch {
		case err == nil:
		case apierrors.IsAlreadyExists(err):
			options.Refused[a.Service.Spec.Name] = fmt.Sprintf("namespace %q has a TenantContainer %q already", options.Namespace, a.Container.Name)
		case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err):
			options.Refused[a.Service.Spec.Name] = "the server refuses it: " + err.Error()
		default:
			return Result{}, fmt.Errorf("ask the server about TenantContainer %q: %w", a.Container.Name, err)
		}
	}
	if len(options.Refused) > 0 {
		result = Make(live, options)
	}

	return result, nil
}

// hasTenant fails unless the namespace belongs to a tenant whose network is, or can become, the one of the services.
func (i *Importer) hasTenant(ctx context.Context, options Options) error {
	t, err := i.tenant(ctx, options.Namespace)
	if err != nil {
		return err
	}
	if n := t.Status.Network; n != nil && n.ID != "" && n.ID != options.Network {
		return fmt.Errorf("tenant %q has a network of its own, %q; the services to adopt would have to be on it", t.Name, n.Name)
	}

	return nil
}

func (i *Importer) tenant(ctx context.Context, name string) (*v1alpha1.Tenant, error) {
	t := &v1alpha1.Tenant{}
	err := i.Client.Get(ctx, client.ObjectKey{Name: name}, t)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no Tenant %q; make one of that name first, because a service keeps the name that begins with it", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read tenant %q: %w", name, err)
	}

	return t, nil
}

// Import has the services adopted and compares their tasks. What it has made for a service that is not adopted after all it
// takes away again.
func (i *Importer) Import(ctx context.Context, result Result, options Options) (Outcome, error) {
	var out Outcome
	if len(result.Adoptions) == 0 {
		return out, nil
	}

	var ids []string
	for _, a := range result.Adoptions {
		ids = append(ids, a.Service.ID)
	}
	before, err := Tasks(ctx, i.Engine, ids...)
	if err != nil {
		return out, err
	}

	if err := i.giveNetwork(ctx, options); err != nil {
		return out, err
	}
	if err := i.contents(ctx, result); err != nil {
		return out, err
	}

	var made []Adoption
	var failed []error
	for _, a := range result.Adoptions {
		if err := i.Client.Create(ctx, a.Container); err != nil {
			failed = append(failed, fmt.Errorf("service %q is left alone: %w", a.Service.Spec.Name, err))
			continue
		}
		made = append(made, a)
	}
	for _, a := range made {
		if err := i.follow(ctx, a, &out); err != nil {
			failed = append(failed, err)
		}
	}
	if err := i.compare(ctx, result, before, &out); err != nil {
		failed = append(failed, err)
	}

	return out, errors.Join(failed...)
}

// giveNetwork makes the network of the services that of the tenant.
func (i *Importer) giveNetwork(ctx context.Context, options Options) error {
	given := func(t *v1alpha1.Tenant) bool {
		return t.Status.Namespace != "" && t.Status.Network != nil && t.Status.Network.ID == options.Network
	}
	t, err := i.tenant(ctx, options.Namespace)
	if err != nil || given(t) {
		return err
	}

	patch := client.MergeFrom(t.DeepCopy())
	annotate(t, v1alpha1.AnnotationAdoptNetwork, options.Network)
	if err := i.Client.Patch(ctx, t, patch); err != nil {
		return fmt.Errorf("give tenant %q its network: %w", t.Name, err)
	}

	err = i.await(ctx, func() (bool, error) {
		t, err = i.tenant(ctx, options.Namespace)

		return err == nil && given(t), err
	})
	if errors.Is(err, errTimeout) {
		return fmt.Errorf("tenant %q has not got its network within %s: %s", options.Namespace, i.Timeout, saidOf(t))
	}

	return err
}

// contents makes ConfigMaps and Secrets, all or none. One that is there with the same in it does.
func (i *Importer) contents(ctx context.Context, result Result) error {
	var made []client.Object
	for _, o := range objects(result) {
		err := i.Client.Create(ctx, o)
		if apierrors.IsAlreadyExists(err) {
			if err = i.sameContent(ctx, o); err == nil {
				continue
			}
		}
		if err != nil {
			for _, m := range made {
				err = errors.Join(err, client.IgnoreNotFound(i.Client.Delete(context.WithoutCancel(ctx), m)))
			}

			return fmt.Errorf("make what containers refer to: %w", err)
		}
		made = append(made, o)
	}

	return nil
}

func objects(result Result) []client.Object {
	var out []client.Object
	for _, m := range result.ConfigMaps {
		out = append(out, m.DeepCopy())
	}
	for _, s := range result.Secrets {
		s = s.DeepCopy()
		for key, value := range s.StringData {
			if s.Data == nil {
				s.Data = map[string][]byte{}
			}
			s.Data[key] = []byte(value)
		}
		s.StringData = nil
		out = append(out, s)
	}

	return out
}

func (i *Importer) sameContent(ctx context.Context, want client.Object) error {
	var same bool
	switch want := want.(type) {
	case *corev1.ConfigMap:
		have := &corev1.ConfigMap{}
		if err := i.Client.Get(ctx, client.ObjectKeyFromObject(want), have); err != nil {
			return err
		}
		same = equality.Semantic.DeepEqual(have.Data, want.Data) && equality.Semantic.DeepEqual(have.BinaryData, want.BinaryData)
	case *corev1.Secret:
		have := &corev1.Secret{}
		if err := i.Client.Get(ctx, client.ObjectKeyFromObject(want), have); err != nil {
			return err
		}
		same = equality.Semantic.DeepEqual(have.Data, want.Data)
	}
	if !same {
		return fmt.Errorf("namespace %q has an object %q with something else in it; rename or remove it", want.GetNamespace(), want.GetName())
	}

	return nil
}

// compare holds the tasks against those that there were.
func (i *Importer) compare(ctx context.Context, result Result, before map[string][]string, out *Outcome) error {
	var ids []string
	for _, a := range result.Adoptions {
		if slices.Contains(out.Adopted, a.Service.Spec.Name) {
			ids = append(ids, a.Service.ID)
		}
	}
	after, err := Tasks(ctx, i.Engine, ids...)
	if err != nil {
		return err
	}
	for _, id := range ids {
		out.Tasks += len(before[id])
		for _, task := range before[id] {
			if !slices.Contains(after[id], task) {
				out.Replaced = append(out.Replaced, task)
			}
		}
	}

	return nil
}

func annotate(o client.Object, key, value string) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	o.SetAnnotations(annotations)
}

var errTimeout = errors.New("it takes too long")

// await asks until the answer is yes, or an error, or the time is up.
func (i *Importer) await(ctx context.Context, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, i.Timeout, errTimeout)
	defer cancel()
	tick := time.NewTicker(i.Poll)
	defer tick.Stop()

	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// saidOf an object is what its condition Ready says.
func saidOf(o interface{ GetConditions() []Condition }) string {
	for _, c := range o.GetConditions() {
		if c.Type == ready {
			return strings.TrimSpace(c.Reason + ": " + c.Message)
		}
	}

	return "nothing is said of it yet"
}
