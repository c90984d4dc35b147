package kubecontrollers

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	quota "k8s.io/apiserver/pkg/quota/v1"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	"k8s.io/client-go/informers"
	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/resourcequota"
	"k8s.io/kubernetes/pkg/quota/v1/install"
)

// counted are the kinds whose number has a name of its own in quotas, such as secrets. Every other kind, ours included,
// is counted as count/<resource>.<group> without being named here.
var counted = map[string]corev1.ResourceName{
	"configmaps":     corev1.ResourceConfigMaps,
	"resourcequotas": corev1.ResourceQuotas,
	"secrets":        corev1.ResourceSecrets,
}

func (l *loops) quota(ctx context.Context) (func(context.Context), error) {
	discover := l.discovery.ServerPreferredNamespacedResources
	c, err := resourcequota.NewController(ctx, &resourcequota.ControllerOptions{
		QuotaClient:               l.kube.CoreV1(),
		ResourceQuotaInformer:     l.Informers.Core().V1().ResourceQuotas(),
		ResyncPeriod:              controller.StaticResyncPeriodFunc(resync),
		ReplenishmentResyncPeriod: controller.StaticResyncPeriodFunc(resync),
		InformerFactory:           l.kinds,
		InformersStarted:          l.started,
		DiscoveryFunc:             discover,
		IgnoredResourcesFunc:      install.DefaultIgnoredResources,
		Registry:                  generic.NewRegistry(counters(l.kinds.ForResource)),
		UpdateFilter:              noUpdate,
	})
	if err != nil {
		return nil, fmt.Errorf("wire quota: %w", err)
	}

	return func(ctx context.Context) {
		var wg sync.WaitGroup
		wg.Go(func() { c.Sync(ctx, discover, discoveryPeriod) })
		c.Run(ctx, workers)
		wg.Wait()
	}, nil
}

func counters(informerFor func(schema.GroupVersionResource) (informers.GenericInformer, error)) []quota.Evaluator {
	lister := generic.ListerFuncForResourceFunc(informerFor)

	var evaluators []quota.Evaluator
	for resource, name := range counted {
		gvr := corev1.SchemeGroupVersion.WithResource(resource)
		list := generic.ListResourceUsingListerFunc(lister, gvr)
		evaluators = append(evaluators, generic.NewObjectCountEvaluator(gvr.GroupResource(), list, name))
	}

	return evaluators
}

// noUpdate says which updates change what a quota counts: none, because quotas count objects.
func noUpdate(schema.GroupVersionResource, any, any) bool { return false }
