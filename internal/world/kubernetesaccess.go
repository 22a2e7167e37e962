package world

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/eks/types"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/eksauth"
)

// endpointOf is the endpoint of a cluster's own API, as EKS forms it.
func endpointOf(id cluster.ID) string {
	sum := sha256.Sum256([]byte(id.String()))
	return "https://" + strings.ToUpper(hex.EncodeToString(sum[:16])) + ".gr7." + id.Region + ".eks." + cluster.PartitionOf(id.Region).DNS
}

// hasAPI reports whether the cluster's own API is there. Of a cluster that is being created EKS names no endpoint.
func (c *eksCluster) hasAPI() bool {
	return !slices.Contains([]types.ClusterStatus{"", types.ClusterStatusCreating, types.ClusterStatusFailed, types.ClusterStatusPending}, c.status)
}

// isOpen reports whether the functions can reach the cluster's own API.
func (c *eksCluster) isOpen() bool { return cmp.Or(c.API.Endpoint, PublicEndpoint) == PublicEndpoint }

// mode is how the cluster's own API knows IAM roles.
func (c *eksCluster) mode() types.AuthenticationMode {
	return cmp.Or(types.AuthenticationMode(c.API.AuthenticationMode), types.AuthenticationModeApiAndConfigMap)
}

// network is the cluster's network, as DescribeCluster answers it. A private endpoint keeps the CIDRs of the public one, which is off.
func (c *eksCluster) network() *types.VpcConfigResponse {
	n := &types.VpcConfigResponse{
		VpcId: optional(c.VPC), SubnetIds: slices.Clone(c.ControlPlane),
		EndpointPublicAccess: c.API.Endpoint != PrivateEndpoint, EndpointPrivateAccess: !c.isOpen(), PublicAccessCidrs: []string{"0.0.0.0/0"},
	}
	if c.API.Endpoint == RestrictedEndpoint {
		n.PublicAccessCidrs = []string{"198.51.100.0/24"}
	}
	return n
}

// Reads reports whether a role, by its ARN, can read kube-system in a cluster: its own API is there, is within the functions' reach, and
// lets the role in.
func (w *World) Reads(id cluster.ID, role string) bool {
	c := w.clusters.byID[id]
	return c != nil && c.hasAPI() && c.isOpen() && c.lets(c.readers, role)
}

// lets reports whether a principal is one of some roles of the cluster's account.
func (c *eksCluster) lets(roles []string, principal string) bool {
	return accountOf(principal) == c.Account && slices.Contains(roles, principal[strings.LastIndexByte(principal, '/')+1:])
}

// caller is the principal whose token a request has, or how it is refused.
func (w *World) caller(c *eksCluster, r *http.Request) (principal string, refused error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	key, err := eksauth.Verify(token, c.Name, w.Now(), w.secretOf)
	if err != nil {
		return "", unauthorized()
	}
	return w.identities.of[key].principal, nil
}

func unauthorized() error { return modelled(kubernetes, "Unauthorized", "Unauthorized") }

// admit is why a principal may not ask something; nil: it may. AmazonEKSViewPolicy allows to read far more of a namespace, but
// not custom resources (EKS user guide, "Review access policy permissions"); what is not simulated is forbidden here.
func (c *eksCluster) admit(principal string, q question) error {
	reader := c.lets(c.readers, principal)
	if !reader && (c.mode() == types.AuthenticationModeConfigMap || !c.lets(c.entries, principal)) {
		return unauthorized()
	}
	allowed := false
	switch q.operation() {
	case "GetDaemonSet", "ListDaemonSets", "GetServiceAccount":
		allowed = reader && q.namespace == "kube-system"
	case "ListENIConfigs":
		allowed = reader && q.namespace == "" && c.API.ENIConfigs
	}
	if !allowed {
		return q.forbidden(strings.Replace(strings.Replace(principal, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1) + "/session")
	}
	return nil
}

// grant has somebody give a role an access entry and AmazonEKSViewPolicy on kube-system, where it has not got them: two calls, the second
// of which somebody types after the first. A cluster that knows no entries refuses them (API reference, CreateAccessEntry). What CloudTrail
// says of both is captured in DataDog/stratus-red-team, eks.lateral-movement.create-access-entry.
func (w *World) grant(c *eksCluster, role string) {
	switch {
	case c.mode() == types.AuthenticationModeConfigMap || slices.Contains(c.readers, role):
	case slices.Contains(c.entries, role):
		w.associate(c, role)
	default:
		c.entries = append(c.entries, role)
		w.did(c, "CreateAccessEntry", map[string]any{"principalArn": c.roleARN(role)})
		w.soon(10*time.Second, 30*time.Second, func() { w.associate(c, role) })
	}
}

// associate has somebody give a role that has an access entry AmazonEKSViewPolicy on kube-system.
func (w *World) associate(c *eksCluster, role string) {
	gone := c.status == "" || c.status == types.ClusterStatusDeleting
	if gone || !slices.Contains(c.entries, role) || slices.Contains(c.readers, role) {
		return
	}
	c.readers = append(c.readers, role)
	w.truth(c.id(), "access", nil, role+" may read kube-system")
	w.did(c, "AssociateAccessPolicy", map[string]any{
		"principalArn": url.QueryEscape(c.roleARN(role)),
		"policyArn":    "arn:" + cluster.PartitionOf(c.Region).Name + ":eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
		"accessScope":  map[string]any{"type": "namespace", "namespaces": []string{"kube-system"}},
	})
}

// roleARN is the ARN of a role of the cluster's account.
func (c *eksCluster) roleARN(name string) string {
	return "arn:" + cluster.PartitionOf(c.Region).Name + ":iam::" + c.Account + ":role/" + name
}
