"""The addresses of the server, and the one class that the toolkit leaves to its user to write."""

from django.contrib.auth.views import LoginView
from django.http import JsonResponse
from django.urls import include, path
from oauth2_provider import urls as toolkit
from oauth2_provider.decorators import protected_resource
from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    """Silent logins (`prompt=none`) are a 500 without these two. Who has not logged in is sent away before them."""

    oidc_claim_scope = None

    def validate_silent_login(self, request):
        return True

    def validate_silent_authorization(self, request):
        return True

    def get_additional_claims(self, request):
        return {"name": request.user.get_username(), "email": request.user.email}


@protected_resource(scopes=["read"])
def api(request):
    return JsonResponse({"who": request.resource_owner.get_username(), "method": request.method})


urlpatterns = [
    path("login/", LoginView.as_view()),
    path("api/me", api),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("", include((toolkit.metadata_urlpatterns, "metadata"))),
]
