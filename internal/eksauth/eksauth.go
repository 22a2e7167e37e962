// Package eksauth verifies a cluster's tokens as EKS does: what aws-iam-authenticator accepts (pkg/token of
// kubernetes-sigs/aws-iam-authenticator), and what STS does with the presigned request that it finds in the token. The simulated AWS
// and tests use it; the product only makes tokens, so that nothing here is computed by the code that it judges.
package eksauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
)

const (
	prefix    = "k8s-aws-v1."
	header    = "x-k8s-aws-id"
	longest   = 4096             // bytes of a token (aws-iam-authenticator, maxTokenLenBytes)
	lifetime  = 15 * time.Minute // whatever X-Amz-Expires says (aws-iam-authenticator, presignedURLExpiration)
	skew      = 5 * time.Minute  // how far ahead a signer's clock may be; STS: "Signature not yet current"
	dateForm  = "20060102T150405Z"
	algorithm = "AWS4-HMAC-SHA256"
)

// Verify checks a token for a cluster at a time and returns the access key that signed it. Secret gives the secret key of an access
// key, and false for one that there is not. No error holds a part of the token.
func Verify(token, clusterName string, now time.Time, secret func(accessKey string) (string, bool)) (accessKey string, err error) {
	host, query, err := decode(token)
	if err != nil {
		return "", err
	}
	if err := checkQuery(query, now); err != nil {
		return "", err
	}
	return verifySignature(host, clusterName, query, secret)
}

// decode takes the presigned request out of a token: its host, and its parameters, of which each is there once.
func decode(token string) (host string, query map[string]string, err error) {
	encoded, ours := strings.CutPrefix(token, prefix)
	if len(token) > longest || !ours {
		return "", nil, fmt.Errorf("want %s and at most %d bytes", prefix, longest)
	}
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", nil, errors.New("want base64url without padding")
	}
	u, err := url.Parse(string(text))
	if err != nil || u.Scheme != "https" || u.User != nil || u.Path != "/" || u.Fragment != "" {
		return "", nil, errors.New("want an https URL with the path / and no user or fragment")
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", nil, errors.New("want a query that can be read")
	}
	query = map[string]string{}
	for name, all := range values {
		if len(all) != 1 {
			return "", nil, errors.New("want each parameter once")
		}
		query[name] = all[0]
	}
	return u.Host, query, nil
}

// checkQuery checks everything that is not the signature.
func checkQuery(query map[string]string, now time.Time) error {
	known := []string{
		"Action", "Version", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Security-Token", "X-Amz-Signature", "X-Amz-SignedHeaders",
	}
	for name := range query {
		if !slices.Contains(known, name) {
			return fmt.Errorf("want no parameter but %s", strings.Join(known, ", "))
		}
	}
	seconds, err := strconv.Atoi(query["X-Amz-Expires"])
	if err != nil || seconds < 0 || seconds > int(lifetime.Seconds()) {
		return errors.New("want X-Amz-Expires from 0 to 900 seconds")
	}
	signed, err := time.Parse(dateForm, query["X-Amz-Date"])
	switch {
	case query["Action"] != "GetCallerIdentity" || query["Version"] != "2011-06-15":
		return errors.New("want Action GetCallerIdentity of Version 2011-06-15")
	case query["X-Amz-Algorithm"] != algorithm:
		return errors.New("want X-Amz-Algorithm " + algorithm)
	case query["X-Amz-SignedHeaders"] != "host;"+header:
		return errors.New("want the headers host and " + header + " signed, and no other")
	case err != nil:
		return errors.New("want X-Amz-Date as " + dateForm)
	case now.After(signed.Add(lifetime)):
		return errors.New("the token has expired")
	case signed.After(now.Add(skew)):
		return errors.New("the token is not valid yet")
	}
	return nil
}

// verifySignature computes the signature anew, as STS does for the request that EKS sends with the name of its cluster (IAM user
// guide, "Create a signed AWS API request").
func verifySignature(host, clusterName string, query map[string]string, secret func(string) (string, bool)) (accessKey string, err error) {
	scope := strings.Split(query["X-Amz-Credential"], "/")
	if len(scope) != 5 || scope[3] != "sts" || scope[4] != "aws4_request" || !strings.HasPrefix(query["X-Amz-Date"], scope[1]+"T") {
		return "", errors.New("want X-Amz-Credential as KEY/DATE/REGION/sts/aws4_request")
	}
	accessKey, date, region := scope[0], scope[1], scope[2]
	if !cluster.IsRegion(region) || host != "sts."+region+"."+cluster.PartitionOf(region).DNS {
		return "", errors.New("want the regional host of STS in the signature's region")
	}
	if strings.HasPrefix(accessKey, "ASIA") && query["X-Amz-Security-Token"] == "" {
		return "", errors.New("want X-Amz-Security-Token with a temporary access key")
	}
	key, known := secret(accessKey)
	if !known {
		return "", errors.New("the access key is unknown")
	}
	request := strings.Join([]string{
		"GET", "/", canonicalQuery(query), "host:" + host, header + ":" + clusterName, "", "host;" + header, hash(""),
	}, "\n")
	toSign := strings.Join([]string{algorithm, query["X-Amz-Date"], strings.Join(scope[1:], "/"), hash(request)}, "\n")
	mac := []byte("AWS4" + key)
	for _, text := range []string{date, region, "sts", "aws4_request", toSign} {
		mac = sign(mac, text)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(mac)), []byte(query["X-Amz-Signature"])) {
		return "", errors.New("the signature is not that of this access key for this cluster")
	}
	return accessKey, nil
}

// canonicalQuery has all parameters but the signature, in order. No value has a space, which Encode would write otherwise than AWS.
func canonicalQuery(query map[string]string) string {
	values := url.Values{}
	for name, value := range query {
		if name != "X-Amz-Signature" {
			values.Set(name, value)
		}
	}
	return values.Encode()
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
