package stack

// Policies are written out in IAM's own words. The CDK's grants would be shorter, but they allow more than is needed, and nobody
// sees it.

// statement is one statement of a policy.
type statement = map[string]any

// policy is a policy document.
func policy(all ...statement) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": all}
}

// service is an AWS service as a principal. Service principals are the same in every partition (IAM user guide, "AWS service
// principals").
func service(host string) map[string]any { return map[string]any{"Service": host} }

// everybody is for statements that deny, or that a condition narrows down.
func everybody() map[string]any { return map[string]any{"AWS": "*"} }

// onlyTLS denies all actions of a service on a resource to requests without TLS.
func onlyTLS(actions, resource string) statement {
	return statement{
		"Sid": "OnlyTLS", "Effect": "Deny", "Principal": everybody(), "Action": actions, "Resource": resource,
		"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
	}
}
