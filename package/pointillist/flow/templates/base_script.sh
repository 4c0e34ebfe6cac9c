{% extends "signac-flow/base_script.sh" %}
{# signac-flow's script, but for bundles that run in parallel: they fail if one of theirs does. #}
{% block body %}
{{ super()|remember_pids(operations) if parallel else super() }}
{%- endblock body %}
{% block footer %}
{% if parallel %}
failed=0
for pid in ${pids:-}; do
    wait "$pid" || failed=1
done
wait
if [ "$failed" != 0 ]; then
    echo "an operation of this bundle failed" >&2
    exit 1
fi
{% else %}
{{ super() }}
{%- endif %}
{% endblock footer %}
