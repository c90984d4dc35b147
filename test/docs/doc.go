// Package docs holds what is written for people against what the code says: samples pass the schema that the API server
// applies and leave no field out, reference pages name every field, condition and reason, links lead somewhere, and
// commands of make exist. Its tests need nothing but the repository.
package docs
