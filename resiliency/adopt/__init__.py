"""`resiliency adopt`: from a set-up that exists to a service file and a plan without a gap.

The account is read (``existing``), a service file is drafted from it (``draft``), the application
synthesizes that file, and its templates are compared with the account (``comparison``). The plan
(``plan``) makes the account equal to the templates first, and imports it then.
"""
