package resourcemetrics

import (
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/rest"
	genericapiserver "k8s.io/apiserver/pkg/server"
	serverstorage "k8s.io/apiserver/pkg/server/storage"
	"k8s.io/metrics/pkg/apis/metrics"
	"k8s.io/metrics/pkg/apis/metrics/install"
	"k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

// GroupVersions that are served, the preferred one first. Kubernetes 1.37 made v1 of v1beta1 without a change (KEP-5207). The
// libraries of 1.36 have the types of v1beta1 only, so those are what v1 is made of.
var GroupVersions = []schema.GroupVersion{{Group: metrics.GroupName, Version: "v1"}, v1beta1.SchemeGroupVersion}

// Provider installs the group into an API server.
type Provider struct {
	Source  Source
	Samples Samples
	// Now is the clock; nil for the machine's.
	Now func() time.Time
}

// GroupName of what it provides.
func (Provider) GroupName() string { return metrics.GroupName }

// NewRESTStorage is the group with its kinds, which are read and never written.
func (p Provider) NewRESTStorage(serverstorage.APIResourceConfigSource, generic.RESTOptionsGetter) (genericapiserver.APIGroupInfo, error) {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	stable := GroupVersions[0]
	scheme.AddKnownTypes(stable, &v1beta1.NodeMetrics{}, &v1beta1.NodeMetricsList{}, &v1beta1.PodMetrics{}, &v1beta1.PodMetricsList{})
	metav1.AddToGroupVersion(scheme, stable)
	if err := scheme.SetVersionPriority(GroupVersions...); err != nil {
		return genericapiserver.APIGroupInfo{}, fmt.Errorf("order versions of %s: %w", metrics.GroupName, err)
	}
	if p.Now == nil {
		p.Now = time.Now
	}

	info := genericapiserver.NewDefaultAPIGroupInfo(metrics.GroupName, scheme, runtime.NewParameterCodec(scheme), serializer.NewCodecFactory(scheme))
	for _, version := range GroupVersions {
		info.VersionedResourcesStorageMap[version.Version] = map[string]rest.Storage{
			"pods":  &podsREST{provider: p},
			"nodes": &nodesREST{provider: p},
		}
	}

	return info, nil
}

// unavailable translates what a Source fails with.
func unavailable(err error) error {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return err
	}

	return apierrors.NewServiceUnavailable(err.Error())
}
