"""An upload may open before its client knows how long it will be (tus creation-defer-length)."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("evidence", "0002_upload_pieces")]

    operations = [
        migrations.AlterField("upload", "length", models.PositiveBigIntegerField(null=True)),
        migrations.AddField("upload", "most", models.PositiveBigIntegerField(null=True)),
    ]
