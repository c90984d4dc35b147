package views

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/kubernetes/pkg/printers"
	printersinternal "k8s.io/kubernetes/pkg/printers/internalversion"
	printerstorage "k8s.io/kubernetes/pkg/printers/storage"
)

// store answers the API's questions about one kind.
type store struct {
	rest.TableConvertor

	kind *kind
	// ready says why nothing is known; nil when something is.
	ready func() error
}

var (
	_ rest.Storage              = (*store)(nil)
	_ rest.Getter               = (*store)(nil)
	_ rest.Lister               = (*store)(nil)
	_ rest.Watcher              = (*store)(nil)
	_ rest.Scoper               = (*store)(nil)
	_ rest.ShortNamesProvider   = (*store)(nil)
	_ rest.CategoriesProvider   = (*store)(nil)
	_ rest.SingularNameProvider = (*store)(nil)
)

func newStore(k *kind, ready func() error) *store {
	tables := printerstorage.TableConvertor{TableGenerator: printers.NewTableGenerator().With(printersinternal.AddHandlers)}

	return &store{TableConvertor: tables, kind: k, ready: ready}
}

// New implements rest.Storage.
func (s *store) New() runtime.Object { return s.kind.empty() }

// Destroy implements rest.Storage.
func (s *store) Destroy() {}

// NewList implements rest.Lister.
func (s *store) NewList() runtime.Object { return s.kind.list(nil, metav1.ListMeta{}) }

// NamespaceScoped implements rest.Scoper.
func (s *store) NamespaceScoped() bool { return s.kind.namespaced }

// GetSingularName implements rest.SingularNameProvider.
func (s *store) GetSingularName() string { return s.kind.singular }

// ShortNames implements rest.ShortNamesProvider.
func (s *store) ShortNames() []string { return s.kind.shortNames }

// Categories implements rest.CategoriesProvider.
func (s *store) Categories() []string { return s.kind.categories }

// Get implements rest.Getter.
func (s *store) Get(ctx context.Context, name string, _ *metav1.GetOptions) (runtime.Object, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	r := s.kind.shelf.get(request.NamespaceValue(ctx), name)
	if r == nil {
		return nil, apierrors.NewNotFound(s.kind.resource, name)
	}

	return s.kind.copied(r), nil
}

// matcher is what a list or a watch selects.
func matcher(o *internalversion.ListOptions) func(*row) bool {
	label, field := labels.Everything(), fields.Everything()
	if o != nil && o.LabelSelector != nil {
		label = o.LabelSelector
	}
	if o != nil && o.FieldSelector != nil {
		field = o.FieldSelector
	}
	if label.Empty() && field.Empty() {
		return func(*row) bool { return true }
	}

	return func(r *row) bool { return label.Matches(r.labels) && field.Matches(r.fields) }
}

// List implements rest.Lister. A list that is given in parts is one of one moment: the later parts are of the version of the
// first, for as long as the log goes back so far.
func (s *store) List(ctx context.Context, o *internalversion.ListOptions) (runtime.Object, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	if o == nil {
		o = &internalversion.ListOptions{}
	}

	p, err := s.page(request.NamespaceValue(ctx), o)
	if err != nil {
		return nil, err
	}
	match := matcher(o)
	all := (o.LabelSelector == nil || o.LabelSelector.Empty()) && (o.FieldSelector == nil || o.FieldSelector.Empty())

	meta := metav1.ListMeta{ResourceVersion: formatVersion(p.version)}
	var chosen []*row
	for i, r := range p.rows {
		if !match(r) {
			continue
		}
		if o.Limit > 0 && int64(len(chosen)) == o.Limit {
			if meta.Continue, err = storage.EncodeContinue(chosen[len(chosen)-1].key+"\x00", "/", int64(p.version)); err != nil { //nolint:gosec // Versions have 63 bits.
				return nil, apierrors.NewInternalError(err)
			}
			if left := int64(len(p.rows) - i); all {
				meta.RemainingItemCount = &left
			}
			break
		}
		chosen = append(chosen, r)
	}

	return s.kind.list(chosen, meta), nil
}

// page is what is left to list, and of which version that is.
type page struct {
	rows    []*row
	version uint64
}

func (s *store) page(namespace string, o *internalversion.ListOptions) (page, error) {
	shelf := s.kind.shelf
	if o.Continue != "" {
		from, version, err := storage.DecodeContinue(o.Continue, "/")
		if err != nil {
			return page{}, apierrors.NewBadRequest("continue: invalid: " + err.Error())
		}
		if version <= 0 {
			return page{}, errExpired()
		}
		rows, err := shelf.listAt(namespace, uint64(version))
		if err != nil {
			return page{}, err
		}
		for len(rows) > 0 && rows[0].key < from {
			rows = rows[1:]
		}

		return page{rows: rows, version: uint64(version)}, nil
	}

	version, given, err := parseVersion(o.ResourceVersion)
	switch {
	case err != nil:
		return page{}, err
	case given && o.ResourceVersionMatch == metav1.ResourceVersionMatchExact:
		rows, err := shelf.listAt(namespace, version)
		return page{rows: rows, version: version}, err
	case given:
		if err := shelf.known(version); err != nil {
			return page{}, err
		}
	}
	rows, now := shelf.list(namespace)

	return page{rows: rows, version: now}, nil
}

// Watch implements rest.Watcher.
func (s *store) Watch(ctx context.Context, o *internalversion.ListOptions) (watch.Interface, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	if o == nil {
		o = &internalversion.ListOptions{}
	}
	version, given, err := parseVersion(o.ResourceVersion)
	if err != nil {
		return nil, err
	}

	shelf := s.kind.shelf
	w := &watcher{kind: s.kind, namespace: request.NamespaceValue(ctx), match: matcher(o), bookmarks: o.AllowWatchBookmarks}
	whole := !given
	if o.SendInitialEvents != nil {
		whole = *o.SendInitialEvents
	}
	switch {
	case whole:
		if given && shelf.known(version) != nil {
			return refused(errExpired()), nil
		}
	case given:
		if _, _, _, err := shelf.since(version); err != nil {
			return refused(err), nil
		}
		w.at = version

		return start(ctx, w, nil, false), nil
	}

	rows, now := shelf.list(w.namespace)
	w.at = now
	if !whole {
		return start(ctx, w, nil, false), nil
	}
	var initial []*row
	for _, r := range rows {
		if w.match(r) {
			initial = append(initial, r)
		}
	}

	return start(ctx, w, initial, o.SendInitialEvents != nil && o.AllowWatchBookmarks), nil
}

// getter answers for the status of an object, which is read with the rest.
type getter struct{ store *store }

var _ rest.Getter = (*getter)(nil)

// New implements rest.Storage.
func (g *getter) New() runtime.Object { return g.store.New() }

// Destroy implements rest.Storage.
func (g *getter) Destroy() {}

// Get implements rest.Getter.
func (g *getter) Get(ctx context.Context, name string, o *metav1.GetOptions) (runtime.Object, error) {
	return g.store.Get(ctx, name, o)
}

// ConvertToTable implements rest.TableConvertor.
func (g *getter) ConvertToTable(ctx context.Context, o, options runtime.Object) (*metav1.Table, error) {
	return g.store.ConvertToTable(ctx, o, options)
}
